/*
 * report_reply - what the server's answer means for an outcome.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "protocol/extension.h"
#include "supervisor/report_inside.h"

enum { REFUSAL_MAX = 1024 }; /* bytes of a message; more is cut */

/* The server has put it among the retries; it has this long to be found. */
static const int64_t burial_limit = 60 * CLOCK_NS_PER_S;

static bool
says(const struct resp *r, const char *text)
{
	return memmem(r->text, r->len, text, strlen(text)) != NULL;
}

/* Whether asking again could not change the answer. */
static bool
final(const struct resp *r)
{
	return says(r, "invalid ACK") || says(r, "invalid FAIL") ||
	    says(r, "missing JID") || says(r, "unknown command") ||
	    says(r, "mutat");
}

static void
repeat_later(struct report *r, const struct outcome *o, const struct resp *why)
{
	report_say(LOG_LEVEL_WARNING, o, "is to be repeated: ", why);
	if (ev_is_active(&r->pause))
		return;
	ev_timer_set(&r->pause, holdoff_next(&r->holdoff), 0.);
	ev_timer_start(r->loop, &r->pause);
}

/* `done` bytes of it are over with. */
static void
cut_off(struct outcome *o, size_t done)
{
	const char *rest = o->lines + done;

	if (done == o->len) {
		report_confirmed(o);
		return;
	}
	if (notice_verb(rest, o->len - done) == NOTICE_BURIAL)
		o->expires = clock_mono() + burial_limit;
	/* Without memory the same is told twice, which does less harm. */
	(void)report_replace(o, rest, o->len - done);
}

/* What is left of it when its first command is confirmed. */
static void
move_on(struct report *r, struct outcome *o)
{
	cut_off(o, notice_over(o->lines, o->len, client_extensions(r->client)));
}

/* One end of a job, however often it is told. */
static void
count(const struct outcome *o, uint64_t *ends)
{
	*ends += o->told ? 0 : 1;
}

static void
refused(struct report *r, struct outcome *o, const struct resp *reply)
{
	if (says(reply, "Job not found")) {
		report_say(LOG_LEVEL_DEBUG, o, "came too late: ", reply);
		count(o, &r->counts.unknown);
		report_confirmed(o);
	} else if (final(reply) &&
	    notice_verb(o->lines, o->len) == NOTICE_RELEASE) {
		/* It announced what it does not know. */
		report_say(LOG_LEVEL_WARNING, o, "was refused: ", reply);
		cut_off(o, notice_first(o->lines, o->len));
	} else if (final(reply)) {
		report_say(LOG_LEVEL_ERROR, o, "was refused: ", reply);
		r->counts.dropped++;
		report_drop(o);
	} else {
		repeat_later(r, o, reply);
	}
}

/* What had to be pushed first cannot be: the job fails. */
static void
fail_instead(struct report *r, struct outcome *o, const char *why)
{
	const struct failure f = { .errtype = "PushRefused", .message = why };
	const struct notice n = {
		.jid = o->jid, .jid_len = o->jid_len, .failure = &f
	};

	r->counts.pushes_refused++;
	buf_clear(r->line);
	if (notice_put(r->line, &n) < 0 ||
	    !report_replace(o, buf_front(r->line), buf_len(r->line))) {
		/* Its reservation ends, and it runs again. */
		report_say(
		    LOG_LEVEL_ERROR, o, "was refused: out of memory", NULL);
		r->counts.dropped++;
		report_drop(o);
	}
}

/* "jid: why; jid: why", as far as there is room. */
static void
name_refusals(char out[REFUSAL_MAX], const struct json *map)
{
	struct json_walk w = json_walk(map);
	struct json key, value;
	const char *between = "the server refuses follow-up jobs: ";
	size_t n = 0;

	out[0] = '\0';
	while (json_next_member(&w, &key, &value)) {
		size_t gap = strlen(between);
		ssize_t k, v = 0;

		/* Decoded text is never longer than its token. */
		if (n + gap + key.len + 2 + value.len >= REFUSAL_MAX)
			break;
		memcpy(out + n, between, gap);
		k = json_decode_string(&key, out + n + gap, key.len);
		n += gap + (k > 0 ? (size_t)k : 0);
		memcpy(out + n, ": ", 2);
		n += 2;
		v = json_decode_string(&value, out + n, value.len);
		n += v > 0 ? (size_t)v : 0;
		out[n] = '\0';
		between = "; ";
	}
}

static void
pushb_answered(struct report *r, struct outcome *o, const struct resp *reply)
{
	char why[REFUSAL_MAX];
	struct json map;

	if (reply->kind == RESP_BULK &&
	    (json_check(reply->text, reply->len, &map, NULL) < 0 ||
		map.kind != JSON_OBJECT)) {
		repeat_later(r, o, reply);
	} else if (reply->kind == RESP_BULK && json_count(&map) > 0) {
		report_say(LOG_LEVEL_ERROR, o, "was refused: ", reply);
		name_refusals(why, &map);
		fail_instead(r, o, why);
	} else if (reply->kind == RESP_BULK) {
		r->holdoff.fails = 0;
		r->counts.pushes++;
		move_on(r, o);
	} else if (reply->kind == RESP_ERROR &&
	    (says(reply, "invalid JSON") || final(reply))) {
		report_say(LOG_LEVEL_ERROR, o, "was refused: ", reply);
		snprintf(why, sizeof why, "the server refuses PUSHB: %.*s",
		    (int)(reply->len < 200 ? reply->len : 200), reply->text);
		fail_instead(r, o, why);
	} else {
		repeat_later(r, o, reply);
	}
}

static void
push_answered(struct report *r, struct outcome *o, const struct resp *reply)
{
	char why[REFUSAL_MAX];

	if (reply->kind != RESP_ERROR) {
		r->holdoff.fails = 0;
		r->counts.copied++;
		move_on(r, o);
	} else if (says(reply, "invalid JSON") || says(reply, "jobs must") ||
	    says(reply, "NOTUNIQUE") || final(reply)) {
		report_say(LOG_LEVEL_ERROR, o, "was refused: ", reply);
		snprintf(why, sizeof why,
		    "the server refuses a copy of the job: %.*s",
		    (int)(reply->len < 200 ? reply->len : 200), reply->text);
		fail_instead(r, o, why);
	} else {
		repeat_later(r, o, reply);
	}
}

void
report_answered(struct outcome *o, const struct resp *reply)
{
	struct report *r = o->report;
	enum notice_verb verb = notice_verb(o->lines, o->len);

	if (verb == NOTICE_PUSHB) {
		pushb_answered(r, o, reply);
		return;
	}
	if (verb == NOTICE_PUSH) {
		push_answered(r, o, reply);
		return;
	}
	if (reply->kind == RESP_ERROR) {
		refused(r, o, reply);
		return;
	}
	r->holdoff.fails = 0;
	if (verb == NOTICE_BURIAL)
		r->counts.buried++;
	else if (verb == NOTICE_RELEASE)
		r->counts.released++;
	else if (verb == NOTICE_ACK)
		count(o, &r->counts.acked);
	else
		count(o, &r->counts.failed);
	o->ended = verb == NOTICE_FAIL;
	move_on(r, o);
}
