/*
 * control_request - one line of JSON that says what an operator wants.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/control_request.h"

#include <string.h>

#include "base/json.h"

static const struct {
	const char *name;
	bool jid_may, jid_must, wait_may;
} verbs[CONTROL_VERBS] = {
	[CONTROL_STATUS] = { "status", false, false, false },
	[CONTROL_TAIL] = { "tail", true, false, false },
	[CONTROL_CANCEL] = { "cancel", true, true, false },
	[CONTROL_QUIET] = { "quiet", false, false, false },
	[CONTROL_RESUME] = { "resume", false, false, false },
	[CONTROL_DRAIN] = { "drain", false, false, true },
};

/* What a request may have; each at most once. */
struct members {
	struct json request, jid, wait;
};

const char *
control_verb_name(enum control_verb v)
{
	return verbs[v].name;
}

static int
take_members(const struct json *object, struct members *m, struct err *e)
{
	const struct {
		const char *name;
		struct json *to;
	} places[] = { { "request", &m->request }, { "jid", &m->jid },
		{ "wait", &m->wait } };
	struct json_walk w = json_walk(object);
	struct json key, value;

	while (json_next_member(&w, &key, &value)) {
		size_t i = 0;

		while (i < 3 &&
		    !json_string_is(
			&key, places[i].name, strlen(places[i].name)))
			i++;
		if (i == 3)
			return err_set(e, EINVAL, "a member is unknown: %.*s",
			    key.len < 64 ? (int)key.len : 64, key.text);
		if (places[i].to->kind != JSON_NONE)
			return err_set(
			    e, EINVAL, "%s stands twice", places[i].name);
		*places[i].to = value;
	}
	return 0;
}

static int
take_verb(const struct json *value, struct control_request *q, struct err *e)
{
	for (int v = 0; v < CONTROL_VERBS; v++) {
		if (!json_string_is(
			value, verbs[v].name, strlen(verbs[v].name)))
			continue;
		q->verb = (enum control_verb)v;
		return 0;
	}
	return err_set(e, EINVAL,
	    value->kind == JSON_NONE
		? "request is missing"
		: "request is none of status, tail, cancel, quiet, resume, "
		  "drain");
}

static int
take_jid(const struct json *value, struct control_request *q, struct err *e)
{
	if (value->kind == JSON_NONE)
		return verbs[q->verb].jid_must
		    ? err_set(e, EINVAL, "jid is missing")
		    : 0;
	if (!verbs[q->verb].jid_may)
		return err_set(
		    e, EINVAL, "%s takes no jid", verbs[q->verb].name);
	ssize_t n = json_decode_string(value, q->jid, sizeof q->jid - 1);
	if (n == -ENOBUFS)
		return err_set(
		    e, EINVAL, "jid is longer than %d bytes", JOB_JID_MAX);
	if (n <= 0)
		return err_set(e, EINVAL, "jid is no text, or empty");
	q->jid[n] = '\0';
	if (strlen(q->jid) != (size_t)n)
		return err_set(e, EINVAL, "jid has a NUL in it");
	return 0;
}

static int
take_wait(const struct json *value, struct control_request *q, struct err *e)
{
	if (value->kind == JSON_NONE)
		return 0;
	if (!verbs[q->verb].wait_may)
		return err_set(
		    e, EINVAL, "%s takes no wait", verbs[q->verb].name);
	if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
		return err_set(e, EINVAL, "wait is neither true nor false");
	q->wait = value->kind == JSON_TRUE;
	return 0;
}

int
control_request_read(
    const char *line, size_t len, struct control_request *q, struct err *e)
{
	struct members m = { 0 };
	struct json_fault fault;
	struct json object;

	*q = (struct control_request){ 0 };
	if (len > CONTROL_LINE_MAX)
		return err_set(e, EINVAL, "the line is longer than %d bytes",
		    CONTROL_LINE_MAX);
	if (json_check(line, len, &object, &fault) < 0)
		return err_set(
		    e, EINVAL, "no JSON: %s at byte %zu", fault.why, fault.at);
	if (object.kind != JSON_OBJECT)
		return err_set(e, EINVAL, "no object");
	int r = take_members(&object, &m, e);
	if (r == 0)
		r = take_verb(&m.request, q, e);
	if (r == 0)
		r = take_jid(&m.jid, q, e);
	if (r == 0)
		r = take_wait(&m.wait, q, e);
	return r;
}
