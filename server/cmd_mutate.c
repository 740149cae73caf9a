/*
 * cmd_mutate - MUTATE: act on many members of a set at once.
 *
 * {"cmd":"requeue","target":"retries","filter":{"jids":["…"]}}
 *
 * The whole set is taken in hand, then looked through in pieces, so that a
 * large one delays nobody. Matching by jid needs no disk; a job type or a
 * pattern is looked for in the stored payload. A filter with a key that we do
 * not know is refused: a typing mistake must not mean "everything".
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "server/commands.h"
#include "server/parts.h"

enum { PIECE = 500 }; /* entries looked at before others get their turn */

struct mutation {
	struct pending pending;
	struct server *server;
	enum jobs_move what;
	enum jobs_set target;
	struct map *jids; /* NULL: no such filter */
	char **jid_texts;
	size_t njids;
	char *jobtype; /* NULL: any */
	char *pattern; /* a glob over the stored payload; NULL: any */
	struct jobs_list list;
	size_t at;   /* the next one to look at */
	size_t open; /* on their way to or from the disk */
	size_t moved;
	bool stepping;
	struct err trouble; /* the first; code 0: none */
};

static void
mutation_free(struct mutation *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->njids; i++)
		free(m->jid_texts[i]);
	free(m->jid_texts);
	map_free(m->jids);
	free(m->jobtype);
	free(m->pattern);
	free(m->list.at);
	free(m);
}

/* ---- reading the request ------------------------------------------------ */

/* Owned, NUL-terminated; NULL when it is no string or memory is short. */
static char *
text_of(const struct json *value)
{
	char *text = malloc(value->len + 1);
	ssize_t n;

	if (text == NULL)
		return NULL;
	n = json_decode_string(value, text, value->len);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static int
pick(const struct json *value, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (value->kind == JSON_STRING &&
		    json_string_is(value, names[i], strlen(names[i])))
			return i;
	return -1;
}

static int
read_jids(struct mutation *m, const struct json *list, struct err *e)
{
	struct json_walk w = json_walk(list);
	struct json one;

	if (list->kind != JSON_ARRAY)
		return err_set(e, EINVAL, "filter: jids must be an array");
	if (json_count(list) == 0)
		return 0;
	m->jids = map_new();
	m->jid_texts = calloc(json_count(list), sizeof(char *));
	if (m->jids == NULL || m->jid_texts == NULL)
		return err_set(e, ENOMEM, "out of memory");
	while (json_next_element(&w, &one)) {
		char *text = text_of(&one);

		if (text == NULL)
			return err_set(
			    e, EINVAL, "filter: jids must be strings");
		m->jid_texts[m->njids++] = text;
		if (map_put(m->jids, text, strlen(text), text) == -ENOMEM)
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

static int
read_filter(struct mutation *m, const struct json *filter, struct err *e)
{
	struct json_walk w = json_walk(filter);
	struct json key, value;

	if (filter->kind == JSON_NONE || filter->kind == JSON_NULL)
		return 0;
	if (filter->kind != JSON_OBJECT)
		return err_set(e, EINVAL, "filter must be an object");
	while (json_next_member(&w, &key, &value)) {
		char **text = NULL;

		if (json_string_is(&key, "jids", 4)) {
			if (m->jids == NULL && value.kind != JSON_NULL &&
			    read_jids(m, &value, e) < 0)
				return -e->code;
			continue;
		}
		if (json_string_is(&key, "jobtype", 7))
			text = &m->jobtype;
		else if (json_string_is(&key, "regexp", 6))
			text = &m->pattern;
		else
			return err_set(e, EINVAL,
			    "filter: unknown key %.*s, expected jids, jobtype "
			    "or regexp",
			    (int)(key.len < 100 ? key.len : 100), key.text);
		if (value.kind == JSON_NULL ||
		    (value.kind == JSON_STRING && value.len == 2))
			continue; /* an empty one filters nothing */
		free(*text);
		*text = text_of(&value);
		if (*text == NULL)
			return err_set(e, EINVAL,
			    "filter: %.*s must be a string", (int)key.len,
			    key.text);
	}
	return 0;
}

static int
read_request(struct mutation *m, const char *arg, size_t len, struct err *e)
{
	static const char *const cmds[] = { "requeue", "kill", "discard",
		"clear" };
	static const char *const targets[] = { "scheduled", "retries", "dead" };
	struct json_fault fault;
	struct json request, value;
	int cmd, target;

	if (json_check(arg, len, &request, &fault) < 0)
		return err_set(e, EINVAL, "invalid JSON: %s at byte %zu",
		    fault.why, fault.at);
	value = json_get(&request, "cmd");
	cmd = pick(&value, cmds, 4);
	if (cmd < 0)
		return err_set(e, EINVAL, "unknown mutate operation");
	value = json_get(&request, "target");
	target = pick(&value, targets, 3);
	if (target < 0)
		return err_set(
		    e, EINVAL, "invalid target for mutation command");
	m->what = cmd == 0 ? MOVE_REQUEUE : cmd == 1 ? MOVE_KILL : MOVE_DISCARD;
	m->target = (enum jobs_set)target;
	value = json_get(&request, "filter");
	return cmd == 3 ? 0 : read_filter(m, &value, e);
}

/* ---- carrying it out ------------------------------------------------------ */

static void step(struct mutation *m);

static void
note_trouble(struct mutation *m, int result, const struct err *why)
{
	if (result < 0 && result != -ENOENT && m->trouble.code == 0)
		m->trouble = *why;
}

static void
one_moved(void *ctx, int result, const struct err *why)
{
	struct mutation *m = ctx;

	note_trouble(m, result, why);
	m->moved += result == 0;
	m->open--;
	step(m);
}

/* It is where it was, or a FLUSH has taken it. */
static void
not_sent(struct mutation *m, struct entry *e, int result)
{
	struct err why = { 0 };

	m->open--;
	jobs_put_back(m->server->jobs, e);
	err_set(&why, -result, "out of memory");
	note_trouble(m, result, &why);
}

static void
move_one(struct mutation *m, struct entry *e)
{
	int r;

	m->open++;
	r = jobs_move(m->server->jobs, e, m->what, one_moved, m);
	if (r < 0)
		not_sent(m, e, r);
}

/* Over all that a worker would be sent: also how it has failed. */
static bool
glob_matches(const struct mutation *m, const struct jobs_delivery *d)
{
	struct buf *text = m->server->scratch;

	buf_clear(text);
	return job_put_delivery(text, d->payload, d->payload_len,
		   d->enqueued_at, d->failure, d->failure_len) == 0 &&
	    buf_putc(text, '\0') == 0 &&
	    fnmatch(m->pattern, buf_front(text), 0) == 0;
}

/* Whether the payload has what the filter asks for. */
static bool
payload_matches(const struct mutation *m, const struct jobs_delivery *d)
{
	struct json object;
	bool matches = true;

	if (json_check(d->payload, d->payload_len, &object, NULL) < 0)
		return false;
	if (m->jobtype != NULL) {
		struct json type = json_get(&object, "jobtype");

		matches = type.kind == JSON_STRING &&
		    json_string_is(&type, m->jobtype, strlen(m->jobtype));
	}
	return matches && (m->pattern == NULL || glob_matches(m, d));
}

static void
one_read(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	struct mutation *m = ctx;

	note_trouble(m, result, why);
	if (result == 0 && payload_matches(m, d))
		move_one(m, e);
	else if (e != NULL)
		jobs_put_back(m->server->jobs, e);
	m->open--;
	step(m);
}

static void
look_at(struct mutation *m, struct entry *e)
{
	int r;

	if (m->jids != NULL) {
		if (map_get(m->jids, e->jid, strlen(e->jid)) != NULL)
			move_one(m, e);
		else
			jobs_put_back(m->server->jobs, e);
		return;
	}
	if (m->jobtype == NULL && m->pattern == NULL) {
		move_one(m, e);
		return;
	}
	m->open++;
	r = jobs_read(m->server->jobs, e, one_read, m);
	if (r < 0)
		not_sent(m, e, r);
}

static void
finish(struct mutation *m)
{
	struct conn *c = conn_resume(&m->pending);

	log_say(LOG_LEVEL_INFO, "MUTATE", "%zu of %zu jobs moved", m->moved,
	    m->list.count);
	if (c != NULL && m->trouble.code != 0)
		conn_error(c, "%s", m->trouble.text);
	else if (c != NULL)
		conn_ok(c);
	mutation_free(m);
}

/* Goes on with the next piece once the one before is through. */
static void
step(struct mutation *m)
{
	if (m->stepping)
		return;
	m->stepping = true;
	while (m->open == 0 && m->at < m->list.count) {
		size_t until = m->at + PIECE;

		while (m->at < m->list.count && m->at < until) {
			struct entry *e = m->list.at[m->at++];

			if (m->trouble.code != 0)
				jobs_put_back(m->server->jobs, e);
			else
				look_at(m, e);
		}
	}
	m->stepping = false;
	if (m->open == 0)
		finish(m);
}

void
cmd_mutate(struct conn *c, const char *arg, size_t len)
{
	struct mutation *m = calloc(1, sizeof *m);
	struct err e = { 0 };

	if (m == NULL) {
		conn_error(c, "out of memory");
		return;
	}
	m->server = c->server;
	if (read_request(m, arg, len, &e) < 0 ||
	    (jobs_empty_set(c->server->jobs, m->target, &m->list) < 0 &&
		err_set(&e, ENOMEM, "out of memory") < 0)) {
		conn_error(c, "%s", e.text);
		mutation_free(m);
		return;
	}
	conn_wait(c, &m->pending);
	step(m);
}
