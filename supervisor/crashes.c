/*
 * crashes - a ring of jids.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/crashes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "supervisor/invocation.h"

static const char signalled[] = "Signal"; /* as handlers/verdict says it */

static struct crash *
find(struct crashes *c, const struct job_text *jid)
{
	for (size_t i = 0; i < c->count; i++)
		if (strlen(c->of[i].jid) == jid->len &&
		    memcmp(c->of[i].jid, jid->bytes, jid->len) == 0)
			return &c->of[i];
	return NULL;
}

/* Takes jid. */
static struct crash *
add(struct crashes *c, char *jid)
{
	struct crash *one = &c->of[c->next];

	free(one->jid);
	one->jid = jid;
	one->attempt = one->count = 0;
	c->next = (c->next + 1) % CRASHES_MAX;
	if (c->count < CRASHES_MAX)
		c->count++;
	return one;
}

/* What the server says of the failure before this attempt. */
static bool
last_was_a_signal(const struct job *job)
{
	if (!job->failure.present)
		return false;
	struct json errtype = json_get(&job->failure.object, "errtype");
	return json_string_is(&errtype, signalled, sizeof signalled - 1);
}

/* How often it has crashed, this time included. */
static int64_t
count(struct crashes *c, const struct job *job)
{
	/* What comes from the network may be nonsense. */
	int64_t attempt = job_attempt(job) > 0 ? job_attempt(job) : 1;
	struct crash *one = find(c, &job->jid);
	int64_t n = one != NULL && one->attempt < attempt ? one->count + 1 : 1;
	bool elsewhere = one == NULL || one->attempt != attempt - 1;

	if (elsewhere && last_was_a_signal(job) && n < attempt)
		n = attempt;
	if (one == NULL) {
		char *jid = strndup(job->jid.bytes, job->jid.len);

		if (jid == NULL)
			return n;
		one = add(c, jid);
	}
	one->attempt = attempt;
	one->count = n;
	return n;
}

void
crashes_judge(struct crashes *c, const struct job *job, int64_t limit,
    const struct run_facts *facts, struct verdict *v)
{
	if (!facts->started || facts->reason != RUN_BY_ITSELF ||
	    !WIFSIGNALED(facts->status) || strcmp(v->errtype, signalled) != 0)
		return;
	int64_t n = count(c, job);
	if (limit == 0 || n < limit)
		return;
	size_t used = strlen(v->message);
	snprintf(v->message + used, sizeof v->message - used,
	    "; dead, since it has ended its program so %lld times (crash_limit "
	    "%lld)",
	    (long long)n, (long long)limit);
	v->kind = VERDICT_DEAD;
	v->retry_in = 0;
}

void
crashes_clear(struct crashes *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->of[i].jid);
	*c = (struct crashes){ 0 };
}

void
crashes_save(const struct crashes *c, struct state_writer *w)
{
	/* From the oldest, so that the ring is the same afterwards. */
	size_t first = c->count < CRASHES_MAX ? 0 : c->next;

	state_put_int(w, (int64_t)c->count);
	for (size_t i = 0; i < c->count; i++) {
		const struct crash *one = &c->of[(first + i) % CRASHES_MAX];

		state_put_text(w, one->jid);
		state_put_int(w, one->attempt);
		state_put_int(w, one->count);
	}
}

void
crashes_load(struct crashes *c, struct state_reader *r)
{
	int64_t n = state_get_within(r, 0, CRASHES_MAX);

	for (; n > 0 && !r->failed; n--) {
		char *jid = state_get_text(r);
		int64_t attempt = state_get_within(r, 1, INT64_MAX);
		int64_t times = state_get_within(r, 1, INT64_MAX);

		if (jid == NULL || r->failed) {
			free(jid);
			r->failed = true;
			return;
		}
		struct crash *one = add(c, jid);
		one->attempt = attempt;
		one->count = times;
	}
}
