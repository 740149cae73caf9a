/*
 * beat - the heartbeat, and what a worker is told in answer.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/beat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "protocol/field.h"
#include "protocol/resp.h"

static const char *const names[] = {
	[WORKER_RUNNING] = "running",
	[WORKER_QUIET] = "quiet",
	[WORKER_TERMINATE] = "terminate",
};

const char *
worker_state_name(enum worker_state s)
{
	return names[s];
}

static enum worker_state
state_of(const struct json *value)
{
	for (enum worker_state s = WORKER_QUIET; s <= WORKER_TERMINATE; s++)
		if (json_string_is(value, names[s], strlen(names[s])))
			return s;
	return WORKER_RUNNING;
}

int
beat_put(
    struct buf *out, const char *wid, int64_t rss_kb, enum worker_state state)
{
	size_t before = buf_len(out);

	int r = buf_puts(out, "BEAT {");
	if (r == 0)
		r = field_put_text(out, "wid", wid);
	if (r == 0 && rss_kb > 0)
		r = field_put_int(out, "rss_kb", rss_kb);
	if (r == 0 && state != WORKER_RUNNING)
		r = field_put_text(out, "current_state", names[state]);
	if (r == 0)
		r = field_put_end(out);
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}

int
beat_parse(const char *text, size_t len, struct beat *b)
{
	struct beat read = { 0 };
	struct json object;

	if (json_check(text, len, &object, NULL) < 0 ||
	    object.kind != JSON_OBJECT)
		return -EINVAL;
	struct json wid = field_get(&object, "wid");
	struct json rss = field_get(&object, "rss_kb");
	struct json state = field_get(&object, "current_state");
	if (state.kind != JSON_NONE && state.kind != JSON_STRING)
		return -EINVAL;
	if (field_int(&rss, &read.rss_kb) < 0)
		return -EINVAL;
	read.state = state_of(&state);

	int r = field_text(&wid, len, &read.wid);
	if (r < 0)
		return r;
	if (read.wid == NULL && (read.wid = strdup("")) == NULL)
		return -ENOMEM;
	*b = read;
	return 0;
}

int
beat_put_reply(struct buf *out, enum worker_state state)
{
	static const char *const replies[] = {
		[WORKER_QUIET] = "{\"state\":\"quiet\"}",
		[WORKER_TERMINATE] = "{\"state\":\"terminate\"}",
	};

	if (state == WORKER_RUNNING)
		return resp_put_simple(out, "OK");
	return resp_put_bulk(out, replies[state], strlen(replies[state]));
}

int
beat_read_reply(const char *text, size_t len, enum worker_state *state)
{
	struct json object;

	if (len == 2 && memcmp(text, "OK", 2) == 0) {
		*state = WORKER_RUNNING;
		return 0;
	}
	if (json_check(text, len, &object, NULL) < 0)
		return -EINVAL;
	struct json told = field_get(&object, "state");
	if (told.kind != JSON_STRING)
		return -EINVAL;
	*state = state_of(&told);
	return 0;
}
