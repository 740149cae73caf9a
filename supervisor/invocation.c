/*
 * invocation - argv, then environment, then the bytes for stdin.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/invocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/job_files.h"
#include "supervisor/arguments.h"
#include "supervisor/confines.h"
#include "supervisor/granted.h"
#include "supervisor/scopes.h"

/* A job's JSON, at most, and the line end. */
enum { INPUT_MAX = 64 * 1024 * 1024 + 2 };

/* What the templates and the environment need as C strings. Owned. */
struct words {
	char *jid;
	char *jobtype;
	char *queue;
};

int64_t
job_attempt(const struct job *j)
{
	return j->failure.present ? j->failure.retry_count + 2 : 1;
}

int64_t
job_max_attempts(const struct job *j)
{
	return j->retry > 0 ? j->retry + 1 : 1;
}

static int
word(const struct job_text *text, const char *what, char **out, struct err *e)
{
	const char *bytes = text->bytes != NULL ? text->bytes : "";

	if (text->len > 0 && memchr(bytes, '\0', text->len) != NULL) {
		err_set(e, EINVAL, "%s: a NUL byte", what);
		return -EINVAL;
	}
	*out = strndup(bytes, text->len);
	if (*out == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

static void
words_clear(struct words *w)
{
	free(w->jid);
	free(w->jobtype);
	free(w->queue);
}

static int
words_make(struct words *w, const struct job *j, struct err *e)
{
	*w = (struct words){ 0 };
	int r = word(&j->jid, "jid", &w->jid, e);
	if (r == 0)
		r = word(&j->jobtype, "jobtype", &w->jobtype, e);
	if (r == 0)
		r = word(&j->queue, "queue", &w->queue, e);
	if (r < 0)
		words_clear(w);
	return r;
}

static int
set(struct environment *v, const char *name, const char *value, struct err *e)
{
	return environment_set(v, name, value, strlen(value), e);
}

static int
set_int(struct environment *v, const char *name, int64_t value, struct err *e)
{
	char text[20], *end = text + sizeof text, *at = end;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do
		*--at = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		*--at = '-';
	return environment_set(v, name, at, (size_t)(end - at), e);
}

/* 00-<32 hex>-<16 hex>-<2 hex>, neither id all zeros, version not ff. */
static bool
traceparent_ok(const char *s, size_t len)
{
	static const size_t dashes[] = { 2, 35, 52 };

	if (len != 55 || strncmp(s, "ff", 2) == 0)
		return false;
	for (size_t i = 0, d = 0; i < len; i++) {
		if (d < 3 && i == dashes[d]) {
			d++;
			if (s[i] != '-')
				return false;
		} else if (strchr("0123456789abcdef", s[i]) == NULL ||
		    s[i] == '\0') {
			return false;
		}
	}
	return strspn(s + 3, "0") != 32 && strspn(s + 36, "0") != 16;
}

static int
set_trace(struct environment *v, const struct job *j, struct err *e)
{
	struct json trace = json_get(&j->custom, "traceparent");
	const char *bytes;
	size_t len;

	if (trace.kind != JSON_STRING ||
	    !json_plain_string(&trace, &bytes, &len) ||
	    !traceparent_ok(bytes, len))
		return 0;
	return environment_set(v, "TRACEPARENT", bytes, len, e);
}

/* What describes the job and this execution of it. */
static int
describe(struct environment *v, const struct invocation_request *q,
    const struct words *w, struct err *e)
{
	const struct job *j = q->job;
	int64_t attempt = job_attempt(j), most = job_max_attempts(j);
	const struct {
		const char *name, *value;
	} texts[] = {
		{ "FAKTORY_PROTOCOL", "1" },
		{ "FAKTORY_PAYLOAD_FORMAT", "json" },
		{ "FAKTORY_JID", w->jid },
		{ "FAKTORY_JOBTYPE", w->jobtype },
		{ "FAKTORY_QUEUE", w->queue },
		{ "FAKTORY_DISPATCH_ID", q->dispatch_id },
		{ "FAKTORY_LAST_ATTEMPT", attempt >= most ? "1" : "0" },
		{ "FAKTORY_TMPDIR", q->tmpdir },
	};
	const struct {
		const char *name;
		const struct job_text *text;
	} times[] = {
		{ "FAKTORY_CREATED_AT", &j->created_at },
		{ "FAKTORY_ENQUEUED_AT", &j->enqueued_at },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof texts / sizeof texts[0]; i++)
		r = set(v, texts[i].name, texts[i].value, e);
	for (size_t i = 0; r == 0 && i < sizeof times / sizeof times[0]; i++)
		if (times[i].text->bytes != NULL &&
		    memchr(times[i].text->bytes, '\0', times[i].text->len) ==
			NULL)
			r = environment_set(v, times[i].name,
			    times[i].text->bytes, times[i].text->len, e);
	if (r == 0)
		r = set_int(v, "FAKTORY_ATTEMPT", attempt, e);
	if (r == 0)
		r = set_int(v, "FAKTORY_MAX_ATTEMPTS", most, e);
	if (r == 0)
		r = set_int(
		    v, "FAKTORY_DEADLINE", q->deadline / CLOCK_NS_PER_MS, e);
	if (r == 0)
		r = set_int(v, "FAKTORY_TIMEOUT",
		    (q->timeout + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S, e);
	if (r == 0)
		r = set_trace(v, j, e);
	if (r == 0 && q->handler->control)
		r = set(v, "FAKTORY_CONTROL_FD", "3", e);
	return r;
}

/* For one env: setting, which must give exactly one value. */
struct one_value {
	struct environment *v;
	const char *name;
	size_t times;
	struct err *e;
};

static int
emit_value(void *ctx, const char *bytes, size_t len, bool from_data)
{
	struct one_value *one = ctx;

	(void)from_data;
	if (one->times++ > 0)
		return err_set(one->e, EINVAL, "more than one value");
	return environment_set(one->v, one->name, bytes, len, one->e);
}

static int
set_env(struct environment *v, const struct handler *how,
    const struct template_data *data, struct err *e)
{
	for (size_t i = 0; i < how->nenv; i++) {
		struct one_value one = { v, how->env[i].name, 0, e };
		int r = template_fill(how->env[i].value, data, how->any_bytes,
		    emit_value, &one, e);

		if (r == 0 && one.times == 0)
			r = err_set(e, EINVAL, "no value");
		if (r == -EINVAL)
			err_wrap(e, "env %s", how->env[i].name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
set_passed(
    struct environment *v, const struct invocation_request *q, struct err *e)
{
	const struct handler *how = q->handler;

	for (size_t i = 0; i < how->nenv_pass; i++) {
		const char *value = q->lookup(how->env_pass[i]);

		if (value == NULL ||
		    environment_secret(how->env_pass[i], q->lookup))
			continue;
		int r = set(v, how->env_pass[i], value, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Their paths; files_write() makes them. */
static int
set_files(
    struct environment *v, const struct invocation_request *q, struct err *e)
{
	const struct job_files *files = q->handler->files;
	int r = 0;

	for (size_t i = 0; files != NULL && r == 0 && i < files->count; i++) {
		char *path = NULL;

		if (asprintf(&path, "%s/%s", q->tmpdir, files->at[i].name) < 0)
			return err_set(e, ENOMEM, "out of memory");
		r = set(v, files->at[i].env, path, e);
		free(path);
	}
	return r;
}

/* Likewise. */
static int
set_grants(
    struct environment *v, const struct invocation_request *q, struct err *e)
{
	char *path = NULL;

	if (q->handler->credentials == NULL)
		return 0;
	if (asprintf(&path, "%s/%s", q->tmpdir, GRANTED_DIRECTORY) < 0)
		return err_set(e, ENOMEM, "out of memory");
	int r = set(v, "FAKTORY_CREDENTIALS", path, e);
	free(path);
	return r;
}

/* In the place of ours. */
static int
set_account(struct environment *v, const struct account *a, struct err *e)
{
	if (!a->user)
		return 0;
	int r = set(v, "HOME", a->home, e);
	if (r == 0)
		r = set(v, "USER", a->name, e);
	if (r == 0)
		r = set(v, "LOGNAME", a->name, e);
	if (r == 0)
		r = set(v, "SHELL", a->shell, e);
	return r;
}

static int
make_environment(struct environment *v, const struct invocation_request *q,
    const struct template_data *data, const struct words *w, struct err *e)
{
	int r = environment_copy(v, q->base);

	if (r == 0)
		r = set_account(v, &q->handler->confine.account, e);
	if (r == 0)
		r = set_passed(v, q, e);
	if (r == 0)
		r = set(v, "TMPDIR", q->tmpdir, e);
	if (r == 0)
		r = set_env(v, q->handler, data, e);
	if (r == 0)
		r = set_files(v, q, e);
	if (r == 0)
		r = set_grants(v, q, e);
	if (r == 0)
		r = describe(v, q, w, e);
	return r;
}

/* The bytes of a string, without quotes and escapes. */
static int
put_raw(struct buf *out, const struct json *string, struct err *e)
{
	size_t room;
	char *at = buf_room(out, string->len, &room);

	if (at == NULL || room < string->len)
		return err_set(e, ENOMEM, "out of memory");
	ssize_t n = json_decode_string(string, at, room);
	if (n < 0)
		return err_set(e, EINVAL, "input: raw needs a string");
	buf_filled(out, (size_t)n);
	return 0;
}

static int
put_line(struct buf *out, const struct json *value, struct err *e)
{
	if (json_put_compact(out, value) < 0 || buf_putc(out, '\n') < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

static int
make_input(
    struct invocation *v, const struct invocation_request *q, struct err *e)
{
	const struct job *j = q->job;
	struct json first = json_at(&j->args, 0);

	if (q->handler->input == INPUT_NONE)
		return 0;
	v->feed = true;
	v->input = buf_new(INPUT_MAX);
	if (v->input == NULL)
		return err_set(e, ENOMEM, "out of memory");

	switch (q->handler->input) {
	case INPUT_JOB:
		return put_line(v->input, &j->object, e);
	case INPUT_ARGS:
		if (j->args.kind != JSON_ARRAY)
			return err_set(e, EINVAL, "input: the job has no args");
		return put_line(v->input, &j->args, e);
	case INPUT_ARG0:
		if (first.kind == JSON_NONE)
			return err_set(e, EINVAL, "input: arg0: args is empty");
		return put_line(v->input, &first, e);
	case INPUT_RAW:
		if (first.kind != JSON_STRING)
			return err_set(e, EINVAL,
			    "input: raw: the first argument is no string");
		return put_raw(v->input, &first, e);
	case INPUT_NONE:
		break;
	}
	return 0;
}

/* Linux counts the strings and the pointers to them. */
static int
check_total(const struct invocation *v, size_t bytes, struct err *e)
{
	for (size_t i = 0; i < v->env.count; i++)
		bytes += strlen(v->env.entries[i]) + 1 + sizeof(char *);
	if (bytes > arguments_limit())
		return err_set(e, EINVAL,
		    "arguments and environment together take %zu bytes, at "
		    "most "
		    "%zu are possible",
		    bytes, arguments_limit());
	return 0;
}

int
invocation_make(
    struct invocation *v, const struct invocation_request *q, struct err *e)
{
	struct words w;
	size_t bytes = 0;
	int r = words_make(&w, q->job, e);

	if (r < 0)
		return r;
	const struct template_data data = {
		.args = q->job->args,
		.custom = q->job->custom,
		.jid = w.jid,
		.jobtype = w.jobtype,
		.queue = w.queue,
		.attempt = (long)job_attempt(q->job),
	};
	*v = (struct invocation){ .path = q->handler->program,
		.workdir =
		    q->handler->cwd != NULL ? q->handler->cwd : q->tmpdir,
		.mask = (mode_t)q->handler->umask };

	v->argv = arguments_make(q->handler, &data, &bytes, e);
	r = v->argv != NULL ? 0 : -e->code;
	if (r == 0)
		r = make_environment(&v->env, q, &data, &w, e);
	if (r == 0)
		r = check_total(v, bytes, e);
	if (r == 0)
		r = make_input(v, q, e);
	if (r == 0 &&
	    confines_make(&q->handler->confine, q->tmpdir, &v->confine) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0 &&
	    scopes_make(&q->handler->confine, w.jobtype, w.jid, q->dispatch_id,
		&v->scope) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	words_clear(&w);
	if (r < 0)
		invocation_clear(v);
	return r;
}

void
invocation_clear(struct invocation *v)
{
	arguments_free(v->argv);
	environment_clear(&v->env);
	buf_free(v->input);
	confines_free(v->confine);
	scopes_free(v->scope);
	*v = (struct invocation){ 0 };
}
