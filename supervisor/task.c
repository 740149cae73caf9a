/*
 * task - its memory, and the request that starts its program.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/task.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/dispatch.h"
#include "supervisor/files.h"
#include "supervisor/invocation.h"
#include "supervisor/lane.h"
#include "supervisor/request.h"

static char *
text_copy(const struct job_text *text)
{
	return strndup(text->bytes != NULL ? text->bytes : "", text->len);
}

struct task *
task_new(struct dispatch *d, const char *bytes, size_t len, int64_t asked_at,
    struct err *e)
{
	struct task *t = calloc(1, sizeof *t);

	if (t != NULL)
		t->bytes = malloc(len > 0 ? len : 1);
	if (t == NULL || t->bytes == NULL) {
		free(t);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(t->bytes, bytes, len);
	t->len = len;
	if (job_parse(t->bytes, len, &t->job, e) < 0) {
		free(t->bytes);
		free(t);
		return NULL;
	}
	t->dispatch = d;
	t->when.expires = asked_at + job_reservation(&t->job) * CLOCK_NS_PER_S;
	t->jid = text_copy(&t->job.jid);
	t->jobtype = text_copy(&t->job.jobtype);
	t->queue = text_copy(&t->job.queue);
	if (t->jid == NULL || t->jobtype == NULL || t->queue == NULL) {
		err_set(e, ENOMEM, "out of memory");
		task_free(t);
		return NULL;
	}
	if (t->job.jid.len == 0) {
		err_set(e, EINVAL, "it has no jid");
		task_free(t);
		return NULL;
	}
	t->output.log = (struct job_log){ .jid = t->jid,
		.jobtype = t->jobtype,
		.queue = t->queue,
		.dispatch = t->id,
		.attempt = job_attempt(&t->job) };
	return t;
}

void
task_free(struct task *t)
{
	output_end(&t->output);
	talk_clear(&t->talk);
	invocation_clear(&t->invocation);
	job_clear(&t->job);
	free(t->bytes);
	free(t->jid);
	free(t->jobtype);
	free(t->queue);
	free(t->dir);
	generation_drop(t->generation);
	free(t);
}

static const char *
from_environment(const char *name)
{
	return getenv(name);
}

void
task_time(struct task *t, int64_t asked_at)
{
	t->when = timeline_make(&t->job, t->how, asked_at);
	if (t->when.grace < t->how->grace)
		job_log_say(&t->output.log, LOG_LEVEL_WARNING, NULL,
		    "its reservation of %lld s is too short for the grace of "
		    "its handler: between TERM and KILL there are %.1f s, not "
		    "%.1f",
		    (long long)job_reservation(&t->job),
		    (double)t->when.grace / (double)CLOCK_NS_PER_S,
		    (double)t->how->grace / (double)CLOCK_NS_PER_S);
}

int64_t
task_asked_at(const struct task *t)
{
	return t->when.expires - job_reservation(&t->job) * CLOCK_NS_PER_S;
}

void
task_request(struct task *t, const struct dispatch_parts *parts)
{
	t->request.kin = parts->kin;
	t->request.cgroups = parts->cgroups;
	t->request.id = t->id;
	t->request.deadline = t->deadline;
	t->request.grace = t->when.grace;
	request_limits(&t->request, t->how);
}

void
task_listen(struct task *t, struct ev_loop *loop, struct metrics *metrics)
{
	const struct talk_parts parts = {
		.loop = loop,
		.run = t->run,
		.output = &t->lane->output,
		.metrics = metrics,
		.how = t->how,
		.log = &t->output.log,
		.dispatch = t->id,
		.deadline = t->deadline,
		.latest = t->when.latest,
		.grace = t->when.grace,
	};

	talk_start(&t->talk, &parts);
}

int
task_invoke(struct task *t, const struct environment *base,
    const struct dispatch_parts *parts, int64_t now, struct err *e)
{
	int64_t left = t->deadline - now;
	const struct invocation_request q = {
		.handler = t->how,
		.job = &t->job,
		.base = base,
		.dispatch_id = t->id,
		.tmpdir = t->dir,
		.deadline = clock_wall() + left,
		.timeout = left,
		.lookup = from_environment,
	};
	struct invocation *v = &t->invocation;
	int r = invocation_make(v, &q, e);

	if (r == 0)
		r = files_write(t->how, &t->job, t->dir, e);
	if (r < 0)
		return r;
	request_start(&t->request, v, t->how);
	task_request(t, parts);
	return 0;
}

void
task_rewind(struct task *t)
{
	talk_clear(&t->talk);
	t->talk = (struct talk){ 0 };
	invocation_clear(&t->invocation);
	t->invocation = (struct invocation){ 0 };
	t->request = (struct run_request){ 0 };
	t->id[0] = '\0';
}

void
task_tell_why(const struct task *t, const char *reason)
{
	char path[PATH_MAX], line[32];
	int n = snprintf(path, sizeof path, "%s/cancel", t->dir);
	int len = snprintf(line, sizeof line, "%s\n", reason);

	if (n < 0 || (size_t)n >= sizeof path)
		return;
	/* The directory is the program's: what stands there is not followed. */
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	(void)!write(fd, line, (size_t)len);
	close(fd);
}

void
task_save(const struct task *t, struct state_writer *w)
{
	state_put_bytes(w, t->bytes, t->len);
	state_put_text(w, t->dir);
	state_put_int(w, t->when.expires);
	state_put_int(w, t->when.latest);
	state_put_int(w, t->when.grace);
	state_put_text(w, t->id);
	state_put_int(w, t->deadline);
	state_put_int(w, t->lost);
	state_put_int(w, t->probe);
	state_put_int(w, t->tried);
	state_put_int(w, t->patience);
	state_put_int(w, (int64_t)t->server);
	output_save(&t->output, w);
	talk_save(&t->talk, w);
}

struct task *
task_load(struct dispatch *d, struct state_reader *r, struct err *e)
{
	size_t len;
	const char *bytes = state_get_bytes(r, &len);
	struct task *t = bytes != NULL ? task_new(d, bytes, len, 0, e) : NULL;

	if (t == NULL) {
		r->failed = true;
		return NULL;
	}
	t->dir = state_get_text(r);
	t->when.expires = state_get_int(r);
	t->when.latest = state_get_int(r);
	t->when.grace = state_get_within(r, 0, INT64_MAX);
	char *id = state_get_text(r);
	if (id != NULL)
		snprintf(t->id, sizeof t->id, "%s", id);
	free(id);
	t->deadline = state_get_int(r);
	t->lost = state_get_within(r, 0, 1) != 0;
	t->probe = state_get_within(r, 0, 1) != 0;
	t->tried = state_get_within(r, 0, 1) != 0;
	t->patience = state_get_within(r, 0, INT64_MAX);
	t->server = (size_t)state_get_within(r, 0, SETTINGS_SERVERS_MAX - 1);
	output_load(&t->output, r);
	talk_load(&t->talk, r);
	if (!r->failed)
		return t;
	err_set(e, EINVAL, "the state is damaged");
	task_free(t);
	return NULL;
}
