/*
 * source - the Redis that is read, and nothing but read.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/source.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW_FIRST = 16,
	WINDOW_MOST = 2000,
	WINDOW_BYTES = 1024 * 1024,
	KEYS_AT_ONCE = 500,
	CONNECT_TIMEOUT = 10,
};

struct source {
	redisContext *redis;
};

/* ---- asking ---------------------------------------------------------------- */

static int
lost(struct source *s, struct err *e)
{
	return err_set(e, ECONNREFUSED, "Redis: %s",
	    s->redis->errstr[0] != '\0' ? s->redis->errstr : "no answer");
}

/* An answer of the type that is wanted, to be freed; NULL with *e set. */
static redisReply *
ask(struct source *s, int type, struct err *e, int argc, const char *argv[])
{
	redisReply *r = redisCommandArgv(s->redis, argc, argv, NULL);

	if (r == NULL) {
		(void)lost(s, e);
		return NULL;
	}
	if (r->type == type)
		return r;
	if (r->type != REDIS_REPLY_ERROR)
		err_set(
		    e, EPROTO, "Redis: %s: answers with another type", argv[0]);
	else if (strncmp(r->str, "LOADING", strlen("LOADING")) == 0)
		err_set(e, EAGAIN,
		    "Redis is still reading its file; try again in a moment");
	else
		err_set(e, ECONNREFUSED, "Redis: %s: %.300s", argv[0], r->str);
	freeReplyObject(r);
	return NULL;
}

#define WORDS(...)                                                             \
	(int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *)), \
	    (const char *[])                                                   \
	{                                                                      \
		__VA_ARGS__                                                    \
	}

static int
ask_number(struct source *s, const char *command, const char *key,
    int64_t *value, struct err *e)
{
	redisReply *r = ask(s, REDIS_REPLY_INTEGER, e, WORDS(command, key));

	if (r == NULL)
		return -e->code;
	*value = r->integer;
	freeReplyObject(r);
	return 0;
}

/* ---- connecting ------------------------------------------------------------ */

static int
log_in(struct source *s, const char *password, struct err *e)
{
	redisReply *r;

	if (password != NULL) {
		r = ask(s, REDIS_REPLY_STATUS, e, WORDS("AUTH", password));
		if (r == NULL)
			return -e->code;
		freeReplyObject(r);
	}
	/* While it loads it answers PING alone; this one it refuses. */
	return ask_number(s, "EXISTS", "queues", &(int64_t){ 0 }, e);
}

struct source *
source_open(const struct source_place *at, const char *password, struct err *e)
{
	const struct timeval patience = { .tv_sec = CONNECT_TIMEOUT };
	const struct timeval answers = { .tv_sec = SOURCE_TIMEOUT };
	struct source *s = calloc(1, sizeof *s);

	if (s != NULL)
		s->redis = at->path[0] != '\0'
		    ? redisConnectUnixWithTimeout(at->path, patience)
		    : redisConnectWithTimeout(
			  at->host, (int)at->port, patience);
	if (s == NULL || s->redis == NULL) {
		err_set(e, ENOMEM, "out of memory");
	} else if (s->redis->err != 0) {
		(void)lost(s, e);
	} else if (redisSetTimeout(s->redis, answers) != REDIS_OK) {
		(void)lost(s, e);
	} else if (log_in(s, password, e) == 0) {
		return s;
	}
	source_close(s);
	return NULL;
}

void
source_close(struct source *s)
{
	if (s == NULL)
		return;
	if (s->redis != NULL)
		redisFree(s->redis);
	free(s);
}

int
source_others(struct source *s, int64_t *others, struct err *e)
{
	redisReply *r = ask(s, REDIS_REPLY_STRING, e, WORDS("CLIENT", "LIST"));

	if (r == NULL)
		return -e->code;
	*others = source_count_clients(r->str, r->len) - 1;
	freeReplyObject(r);
	return 0;
}

/* ---- keys -------------------------------------------------------------------- */

static enum source_type
type_named(const char *name)
{
	static const char *const names[] = { [SOURCE_STRING] = "string",
		[SOURCE_LIST] = "list",
		[SOURCE_SET] = "set",
		[SOURCE_SORTED] = "zset" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return (enum source_type)i;
	return SOURCE_OTHER;
}

/* A key with a NUL in it is none of a stock server's. */
static int
tell_key(struct source *s, const redisReply *key, source_key *each, void *ctx,
    struct err *e)
{
	if (key->type != REDIS_REPLY_STRING || strlen(key->str) != key->len)
		return 0;
	redisReply *r = ask(s, REDIS_REPLY_STATUS, e, WORDS("TYPE", key->str));
	if (r == NULL)
		return -e->code;
	enum source_type type = type_named(r->str);
	freeReplyObject(r);
	return each(ctx, key->str, type, e);
}

/* What a part of SCAN or SSCAN answers: where to go on, and some names. */
static bool
is_part(const redisReply *r)
{
	return r->elements == 2 && r->element[0]->type == REDIS_REPLY_STRING &&
	    r->element[0]->len < 32 && r->element[1]->type == REDIS_REPLY_ARRAY;
}

/*
 * The next part of a walk, to be freed; cursor is where to go on, "0" at the
 * end. key: NULL walks over all keys.
 */
static redisReply *
next_part(struct source *s, const char *key, char cursor[32], struct err *e)
{
	char count[16];
	redisReply *r;

	snprintf(count, sizeof count, "%d", KEYS_AT_ONCE);
	if (key == NULL)
		r = ask(s, REDIS_REPLY_ARRAY, e,
		    WORDS("SCAN", cursor, "COUNT", count));
	else
		r = ask(s, REDIS_REPLY_ARRAY, e,
		    WORDS("SSCAN", key, cursor, "COUNT", count));
	if (r != NULL && !is_part(r)) {
		err_set(e, EPROTO, "Redis: SCAN: answers with another form");
		freeReplyObject(r);
		return NULL;
	}
	if (r != NULL)
		memcpy(cursor, r->element[0]->str, r->element[0]->len + 1);
	return r;
}

int
source_keys(struct source *s, source_key *each, void *ctx, struct err *e)
{
	char cursor[32] = "0";
	int r = 0;

	do {
		redisReply *part = next_part(s, NULL, cursor, e);

		if (part == NULL)
			return -e->code;
		for (size_t i = 0; r == 0 && i < part->element[1]->elements;
		     i++)
			r = tell_key(
			    s, part->element[1]->element[i], each, ctx, e);
		freeReplyObject(part);
	} while (r == 0 && strcmp(cursor, "0") != 0);
	return r;
}

int
source_members(struct source *s, const char *key, source_member *each,
    void *ctx, struct err *e)
{
	char cursor[32] = "0";
	int r = 0;

	do {
		redisReply *part = next_part(s, key, cursor, e);

		if (part == NULL)
			return -e->code;
		for (size_t i = 0; r == 0 && i < part->element[1]->elements;
		     i++) {
			const redisReply *m = part->element[1]->element[i];

			if (m->type == REDIS_REPLY_STRING)
				r = each(ctx, m->str, m->len, e);
		}
		freeReplyObject(part);
	} while (r == 0 && strcmp(cursor, "0") != 0);
	return r;
}

static int
read_number(const redisReply *r, const char *key, int64_t *value, struct err *e)
{
	char *end;

	if (r->type == REDIS_REPLY_NIL)
		return 0;
	if (r->type != REDIS_REPLY_STRING)
		return err_set(e, EPROTO, "Redis: GET %s: %.300s", key,
		    r->type == REDIS_REPLY_ERROR ? r->str : "another type");
	errno = 0;
	*value = strtoll(r->str, &end, 10);
	if (r->len == 0 || *end != '\0' || errno != 0 || *value < 0)
		return err_set(
		    e, EINVAL, "%s is no number: %.60s", key, r->str);
	return 0;
}

int
source_number(struct source *s, const char *key, int64_t *value, struct err *e)
{
	redisReply *r = redisCommand(s->redis, "GET %s", key);

	*value = 0;
	if (r == NULL)
		return lost(s, e);
	int result = read_number(r, key, value, e);
	freeReplyObject(r);
	return result;
}

/* ---- elements ---------------------------------------------------------------- */

int
source_size(struct source *s, const char *key, enum source_type type,
    int64_t *size, struct err *e)
{
	return ask_number(
	    s, type == SOURCE_LIST ? "LLEN" : "ZCARD", key, size, e);
}

/* Elements first to last, as Redis orders them; to be freed. */
static redisReply *
window(struct source *s, const char *key, bool list, int64_t first,
    int64_t last, struct err *e)
{
	char from[24], to[24];

	snprintf(from, sizeof from, "%" PRId64, first);
	snprintf(to, sizeof to, "%" PRId64, last);
	if (list)
		return ask(
		    s, REDIS_REPLY_ARRAY, e, WORDS("LRANGE", key, from, to));
	return ask(s, REDIS_REPLY_ARRAY, e,
	    WORDS("ZRANGE", key, from, to, "WITHSCORES"));
}

/* A list is told from its end. */
static int
tell_window(const redisReply *r, bool list, int64_t first, source_element *each,
    void *ctx, size_t *bytes, struct err *e)
{
	size_t step = list ? 1 : 2, count = r->elements / step;

	for (size_t i = 0; i < count; i++) {
		size_t at = list ? count - 1 - i : i;
		const redisReply *value = r->element[at * step];
		const redisReply *score =
		    list ? NULL : r->element[at * step + 1];
		if (value->type != REDIS_REPLY_STRING ||
		    (score != NULL && score->type != REDIS_REPLY_STRING))
			return err_set(
			    e, EPROTO, "Redis: an element of another type");
		struct source_element element = {
			.index = first + (int64_t)at,
			.bytes = value->str,
			.len = value->len,
			.score = score != NULL ? score->str : NULL,
			.score_len = score != NULL ? score->len : 0,
		};
		*bytes += value->len;
		int told = each(ctx, &element, e);
		if (told < 0)
			return told;
	}
	return 0;
}

static int64_t
next_width(int64_t width, size_t bytes)
{
	double each = (double)bytes / (double)width;
	double wanted = WINDOW_BYTES / (each > 1 ? each : 1);

	return wanted < 1          ? 1
	    : wanted > WINDOW_MOST ? WINDOW_MOST
				   : (int64_t)wanted;
}

int
source_elements(struct source *s, const char *key, enum source_type type,
    int64_t size, source_element *each, void *ctx, struct err *e)
{
	bool list = type == SOURCE_LIST;
	int64_t width = WINDOW_FIRST;
	int r = 0;

	for (int64_t done = 0; r == 0 && done < size;) {
		size_t bytes = 0;

		if (width > size - done)
			width = size - done;
		int64_t first = list ? size - done - width : done;
		redisReply *w =
		    window(s, key, list, first, first + width - 1, e);
		if (w == NULL)
			return -e->code;
		if ((int64_t)(w->elements / (list ? 1 : 2)) != width)
			r = err_set(e, EAGAIN,
			    "%s became shorter while it was read", key);
		else
			r = tell_window(w, list, first, each, ctx, &bytes, e);
		freeReplyObject(w);
		done += width;
		width = next_width(width, bytes);
	}
	return r;
}
