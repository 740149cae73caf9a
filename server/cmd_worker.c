/*
 * cmd_worker - WORKER: make one worker, some, or all quiet, or end them.
 *
 * WORKER QUIET {"wid":"…"}, {"label":"…"} or {"all":true}; TERMINATE likewise.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "protocol/field.h"
#include "server/commands.h"
#include "server/parts.h"

/* Exactly one of these. */
struct choice {
	char *wid; /* owned, as the next */
	char *label;
	bool all;
};

static const char takes[] =
    "WORKER takes QUIET or TERMINATE, and {\"wid\":\"…\"}, {\"label\":\"…\"} "
    "or {\"all\":true}";

static bool
read_choice(const char *text, size_t len, struct choice *choice)
{
	struct json object, key, value;

	if (json_check(text, len, &object, NULL) < 0 ||
	    object.kind != JSON_OBJECT || json_count(&object) != 1)
		return false;
	struct json_walk w = json_walk(&object);
	(void)json_next_member(&w, &key, &value);
	if (json_string_is(&key, "all", 3))
		return choice->all = value.kind == JSON_TRUE;
	char **out = json_string_is(&key, "wid", 3) ? &choice->wid
	    : json_string_is(&key, "label", 5)      ? &choice->label
						    : NULL;
	return out != NULL && field_text(&value, HELLO_TEXT_MAX, out) == 0 &&
	    *out != NULL;
}

static bool
is_chosen(const struct choice *choice, const struct worker *w)
{
	return choice->all ||
	    (choice->wid != NULL && strcmp(choice->wid, w->wid) == 0) ||
	    (choice->label != NULL && worker_has_label(w, choice->label));
}

static size_t
tell(struct server *s, const struct choice *choice, enum worker_state state)
{
	size_t cursor = 0, n = 0;
	struct worker *w;

	while ((w = workers_next(s->workers, &cursor)) != NULL) {
		if (!is_chosen(choice, w))
			continue;
		worker_tell(w, state);
		n++;
	}
	return n;
}

static void
carry_out(struct conn *c, const struct choice *choice, enum worker_state state)
{
	size_t n = tell(c->server, choice, state);
	char text[64];

	if (choice->wid != NULL && n == 0) {
		conn_error(c, "unknown worker %s", choice->wid);
		return;
	}
	log_say(LOG_LEVEL_INFO, c->peer, "WORKER %s %s%s: %zu told",
	    worker_state_name(state),
	    choice->all                 ? "all"
		: choice->label != NULL ? "label="
					: "wid=",
	    choice->label != NULL     ? choice->label
		: choice->wid != NULL ? choice->wid
				      : "",
	    n);
	command_end_fetches(c->server);
	int len = snprintf(text, sizeof text, "{\"workers\":%zu}", n);
	conn_bulk(c, text, (size_t)len);
}

void
cmd_worker(struct conn *c, const char *arg, size_t len)
{
	const char *space = memchr(arg, ' ', len);
	size_t word = space != NULL ? (size_t)(space - arg) : len;
	enum worker_state state = WORKER_RUNNING;
	struct choice choice = { 0 };

	if (word == 5 && strncasecmp(arg, "QUIET", 5) == 0)
		state = WORKER_QUIET;
	else if (word == 9 && strncasecmp(arg, "TERMINATE", 9) == 0)
		state = WORKER_TERMINATE;
	if (state == WORKER_RUNNING || space == NULL ||
	    !read_choice(space + 1, len - word - 1, &choice))
		conn_error(c, "%s", takes);
	else
		carry_out(c, &choice, state);
	free(choice.wid);
	free(choice.label);
}
