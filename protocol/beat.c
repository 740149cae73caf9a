/*
 * beat - the heartbeat, and what a worker is told in answer.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/beat.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "protocol/field.h"
#include "protocol/job.h"
#include "protocol/resp.h"

enum { BEAT_REPLY_MAX = 64 * 1024 * 1024 };

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
	return field_put_line_end(out, before, r);
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
beat_put_reply(struct buf *out, const struct beat_reply *reply)
{
	const struct {
		const char *name;
		const struct beat_jids *jids;
	} lists[] = { { "cancel", &reply->cancel }, { "lost", &reply->lost } };
	bool plain = reply->cancel.count == 0 && reply->lost.count == 0;

	if (reply->state == WORKER_RUNNING && plain)
		return resp_put_simple(out, "OK");
	struct buf *json = buf_new(BEAT_REPLY_MAX);
	if (json == NULL)
		return -ENOMEM;
	int r = buf_putc(json, '{');
	if (r == 0 && reply->state != WORKER_RUNNING)
		r = field_put_text(json, "state", names[reply->state]);
	for (size_t i = 0; i < 2 && r == 0; i++)
		if (lists[i].jids->count > 0)
			r = field_put_list(json, lists[i].name,
			    (const char *const *)lists[i].jids->names,
			    lists[i].jids->count);
	if (r == 0)
		r = field_put_end(json);
	if (r == 0)
		r = resp_put_bulk(out, buf_front(json), buf_len(json));
	buf_free(json);
	return r;
}

static void
clear_jids(struct beat_jids *jids)
{
	for (size_t i = 0; i < jids->count; i++)
		free(jids->names[i]);
	free(jids->names);
	*jids = (struct beat_jids){ 0 };
}

/* Returns 0, -EINVAL when it is no array, -ENOMEM. */
static int
read_jids(const struct json *list, struct beat_jids *jids)
{
	struct json_walk w = json_walk(list);
	size_t count = json_count(list);
	struct json item;

	if (list->kind == JSON_NONE)
		return 0;
	if (list->kind != JSON_ARRAY)
		return -EINVAL;
	if (count > BEAT_JIDS_MAX)
		count = BEAT_JIDS_MAX;
	jids->names = calloc(count + 1, sizeof *jids->names);
	if (jids->names == NULL)
		return -ENOMEM;
	while (jids->count < count && json_next_element(&w, &item)) {
		char *jid = NULL;

		if (field_text(&item, JOB_JID_MAX, &jid) == -ENOMEM)
			return -ENOMEM;
		if (jid != NULL)
			jids->names[jids->count++] = jid;
	}
	return 0;
}

int
beat_read_reply(const char *text, size_t len, struct beat_reply *reply)
{
	struct beat_reply read = { 0 };
	struct json object;

	if (len == 2 && memcmp(text, "OK", 2) == 0) {
		*reply = read;
		return 0;
	}
	if (json_check(text, len, &object, NULL) < 0)
		return -EINVAL;
	struct json state = field_get(&object, "state");
	struct json cancel = field_get(&object, "cancel");
	struct json lost = field_get(&object, "lost");
	bool stated = state.kind == JSON_STRING;
	if ((!stated && state.kind != JSON_NONE) ||
	    (!stated && cancel.kind == JSON_NONE && lost.kind == JSON_NONE))
		return -EINVAL;
	if (stated)
		read.state = state_of(&state);
	int r = read_jids(&cancel, &read.cancel);
	if (r == 0)
		r = read_jids(&lost, &read.lost);
	if (r < 0) {
		beat_reply_clear(&read);
		return r;
	}
	*reply = read;
	return 0;
}

void
beat_reply_clear(struct beat_reply *reply)
{
	clear_jids(&reply->cancel);
	clear_jids(&reply->lost);
}
