/*
 * results - a line of results by time, and a table of their jids.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/timestamp.h"
#include "protocol/outcome.h"

enum {
	DROPS = 1000, /* at once, so it delays nobody */
	DOCUMENT_MAX = RESULT_MAX + 16 * 1024, /* the jid beside it */
};

struct kept {
	TAILQ_ENTRY(kept) link;
	int64_t id;
	int64_t at; /* wall clock */
	char jid[];
};

struct results {
	int64_t retention;
	struct store *store;
	struct map *by_jid; /* the newest of each */
	size_t count;
	TAILQ_HEAD(results_line, kept) line; /* the oldest first */
};

/* One on its way to the disk, off it, or being read. */
struct keeping {
	struct store_change change;
	struct results *results;
	struct buf *document;
	results_told *told;
	void *ctx;
	char jid[];
};

struct results *
results_new(int64_t retention)
{
	struct results *rs = calloc(1, sizeof *rs);

	if (rs == NULL)
		return NULL;
	rs->retention = retention;
	TAILQ_INIT(&rs->line);
	rs->by_jid = map_new();
	if (rs->by_jid == NULL) {
		free(rs);
		return NULL;
	}
	return rs;
}

void
results_clear(struct results *rs)
{
	struct kept *next;

	for (struct kept *k = TAILQ_FIRST(&rs->line); k != NULL; k = next) {
		next = TAILQ_NEXT(k, link);
		free(k);
	}
	TAILQ_INIT(&rs->line);
	map_clear(rs->by_jid);
	rs->count = 0;
}

void
results_free(struct results *rs)
{
	if (rs == NULL)
		return;
	results_clear(rs);
	map_free(rs->by_jid);
	free(rs);
}

void
results_start(struct results *rs, struct store *store)
{
	rs->store = store;
}

static void
keeping_free(struct keeping *k)
{
	buf_free(k->document);
	free(k);
}

static struct keeping *
keeping_new(struct results *rs, int64_t id, const char *jid)
{
	size_t len = strlen(jid);
	struct keeping *k = calloc(1, sizeof *k + len + 1);

	if (k == NULL)
		return NULL;
	memcpy(k->jid, jid, len);
	k->results = rs;
	k->change.job.id = id;
	k->change.job.jid = k->jid;
	k->change.ctx = k;
	return k;
}

static void
erased(struct store_change *c, int result, const struct err *why)
{
	(void)result;
	(void)why;
	keeping_free(c->ctx);
}

/* When it stays on disk, it is found again at the next start. */
static void
drop(struct results *rs, struct kept *k)
{
	struct keeping *erasure = keeping_new(rs, k->id, k->jid);

	if (erasure != NULL) {
		erasure->change.kind = STORE_UNKEEP;
		erasure->change.done = erased;
		store_add(rs->store, &erasure->change);
	}
	if (map_get(rs->by_jid, k->jid, strlen(k->jid)) == k)
		(void)map_remove(rs->by_jid, k->jid, strlen(k->jid));
	TAILQ_REMOVE(&rs->line, k, link);
	rs->count--;
	free(k);
}

void
results_expire(struct results *rs)
{
	struct kept *k = TAILQ_FIRST(&rs->line), *next;
	int64_t now = clock_wall();

	for (int i = 0; i < DROPS && k != NULL; i++, k = next) {
		next = TAILQ_NEXT(k, link);
		if (now - k->at < rs->retention && rs->count <= RESULTS_MAX)
			return;
		drop(rs, k);
	}
}

/* The same job may have had one before: then it is that row. */
int
results_load(struct results *rs, int64_t id, const char *jid, int64_t at)
{
	size_t len = strlen(jid);
	struct kept *k = map_get(rs->by_jid, jid, len);

	if (k != NULL && k->id == id) {
		k->at = at;
		TAILQ_REMOVE(&rs->line, k, link);
		TAILQ_INSERT_TAIL(&rs->line, k, link);
		return 0;
	}
	k = calloc(1, sizeof *k + len + 1);
	if (k == NULL)
		return -ENOMEM;
	k->id = id;
	k->at = at;
	memcpy(k->jid, jid, len);
	(void)map_remove(rs->by_jid, jid, len);
	if (map_put(rs->by_jid, k->jid, len, k) < 0) {
		free(k);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&rs->line, k, link);
	rs->count++;
	return 0;
}

static void
is_kept(struct store_change *c, int result, const struct err *why)
{
	struct keeping *k = c->ctx;
	struct results *rs = k->results;

	(void)why;
	/* Without memory it is found at the next start. */
	if (result == 0)
		(void)results_load(rs, c->job.id, k->jid, c->value);
	keeping_free(k);
	results_expire(rs);
}

static int
write_document(struct buf *out, const char *jid, int64_t at, bool failed,
    const struct json *result)
{
	char when[TIMESTAMP_MAX];
	int r = buf_puts(out, "{\"jid\":");

	timestamp_format(at, when);
	if (r == 0)
		r = json_put_string(out, jid, strlen(jid));
	if (r == 0)
		r = buf_printf(out,
		    ",\"at\":\"%s\",\"failed\":%s,\"result\":", when,
		    failed ? "true" : "false");
	if (r == 0)
		r = buf_append(out, result->text, result->len);
	return r < 0 ? r : buf_putc(out, '}');
}

int
results_keep(struct results *rs, int64_t id, const char *jid, bool failed,
    const struct json *result)
{
	int64_t now = clock_wall();
	struct keeping *k;

	if (rs->retention == 0)
		return 0;
	if (result->len > RESULT_MAX)
		return -EMSGSIZE;
	k = keeping_new(rs, id, jid);
	if (k == NULL || (k->document = buf_new(DOCUMENT_MAX)) == NULL ||
	    write_document(k->document, jid, now, failed, result) < 0) {
		if (k != NULL)
			keeping_free(k);
		return -ENOMEM;
	}
	k->change.kind = STORE_KEEP;
	k->change.value = now;
	k->change.job.payload = buf_front(k->document);
	k->change.job.payload_len = buf_len(k->document);
	k->change.done = is_kept;
	store_add(rs->store, &k->change);
	return 0;
}

static void
read_back(struct store_change *c, int result, const struct err *why)
{
	struct keeping *k = c->ctx;

	k->told(k->ctx, result == -ENOENT ? 0 : result, why, c->taken.payload,
	    c->taken.payload_len);
	keeping_free(k);
}

int
results_ask(struct results *rs, const char *jid, size_t len, results_told *done,
    void *ctx)
{
	const struct kept *found = map_get(rs->by_jid, jid, len);
	struct keeping *k;

	if (found == NULL)
		return -ENOENT;
	k = keeping_new(rs, found->id, found->jid);
	if (k == NULL)
		return -ENOMEM;
	k->told = done;
	k->ctx = ctx;
	k->change.kind = STORE_KEPT;
	k->change.done = read_back;
	store_add(rs->store, &k->change);
	return 0;
}

size_t
results_count(const struct results *rs)
{
	return rs->count;
}
