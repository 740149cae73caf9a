/*
 * journal - entries in memory, a thread that writes them, a file.
 *
 *   journal_add --> NEW --> WRITING --> KEPT --> DONE --> FORGETTING --> gone
 *                    |         '-- journal_done --------^     (a DONE record)
 *                    '-- journal_done --> gone, never written
 *
 * The file grows by records. When it has become large for what it holds, and
 * after every failure, it is written anew beside the old one and takes its
 * place.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "supervisor/journal_file.h"
#include "supervisor/journal_record.h"

enum {
	FILE_MAX = 2 * JOURNAL_BYTES_MAX, /* what is read at a start */
	TIDY_ABOVE = 1024 * 1024,         /* bytes of the file */
	RETRY_AFTER = 1,                  /* s, when the disk refuses */
	GATHER_NS = 2 * 1000 * 1000,
};

/* No reservation is longer; a wall clock that was set back adds no more. */
static const int64_t expires_max = 86400 * CLOCK_NS_PER_S;

enum entry_state {
	NEW,        /* its ADD waits for the thread */
	WRITING,    /* the thread has it */
	KEPT,       /* on disk */
	DONE,       /* on disk; its DONE waits for the thread */
	FORGETTING, /* the thread has that */
};

struct entry {
	TAILQ_ENTRY(entry) link;
	uint64_t id;
	int64_t expires; /* clock_wall() */
	enum entry_state state;
	bool over;    /* done while WRITING */
	bool refused; /* counted as such */
	size_t len;
	char record[]; /* as it stands in the file */
};

TAILQ_HEAD(entries, entry);

struct journal {
	char *wid;
	struct buf *scratch; /* of the loop */

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t work;
	pthread_cond_t idle;
	struct entries entries;
	struct map *by_id; /* of entries */
	uint64_t last_id;
	size_t live;  /* bytes of all entries */
	size_t waits; /* how many are NEW or DONE */
	bool working, closing, failing;
	struct journal_counts counts;

	struct journal_file file; /* of the thread, once there is one */
};

static struct entry *
find(const struct journal *j, uint64_t id)
{
	return map_get(j->by_id, (const char *)&id, sizeof id);
}

static void
remove_entry(struct journal *j, struct entry *n)
{
	TAILQ_REMOVE(&j->entries, n, link);
	map_remove(j->by_id, (const char *)&n->id, sizeof n->id);
	j->live -= n->len;
	free(n);
}

/* Returns NULL when memory is short. */
static struct entry *
add_entry(struct journal *j, uint64_t id, const char *record, size_t len)
{
	struct entry *n = calloc(1, sizeof *n + len);

	if (n == NULL)
		return NULL;
	n->id = id;
	n->len = len;
	memcpy(n->record, record, len);
	if (map_put(j->by_id, (const char *)&n->id, sizeof n->id, n) < 0) {
		free(n);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&j->entries, n, link);
	j->live += len;
	if (id > j->last_id)
		j->last_id = id;
	return n;
}

/* ---- The thread. Called with the lock held, except where noted. ---------- */

/* What the file must get, in one piece; `all`: as a new file. */
static int
gather(struct journal *j, struct buf *out, bool all)
{
	struct entry *n;
	int r = all ? buf_append(out, JOURNAL_MAGIC, JOURNAL_MAGIC_LEN) : 0;

	for (n = TAILQ_FIRST(&j->entries); n != NULL; n = TAILQ_NEXT(n, link)) {
		const struct journal_record done = { .kind = JOURNAL_DONE,
			.id = n->id };

		if (n->state == DONE) {
			n->state = FORGETTING;
			if (!all && r == 0)
				r = journal_record_put(out, &done);
		} else if (n->state == NEW || all) {
			n->state = WRITING;
			if (r == 0)
				r = buf_append(out, n->record, n->len);
		}
	}
	j->waits = 0;
	return r;
}

static void
tell_result(struct journal *j, int r)
{
	if (r < 0 && !j->failing)
		log_say(LOG_LEVEL_ERROR, "journal",
		    "%s: %s; outcomes are not kept, jobs go on", j->file.path,
		    strerror(-r));
	else if (r == 0 && j->failing)
		log_say(LOG_LEVEL_INFO, "journal",
		    "%s: outcomes are kept again", j->file.path);
	j->failing = r < 0;
}

/* An entry that the thread had; it may be gone afterwards. */
static void
settle_one(struct journal *j, struct entry *n, bool written)
{
	if (n->state == WRITING && n->over && !written) {
		remove_entry(j, n); /* the new file will not have it */
	} else if (n->state == WRITING) {
		n->state = !written ? NEW : n->over ? DONE : KEPT;
		j->waits += n->state != KEPT;
		j->counts.refused += !written && !n->refused;
		n->refused = n->refused || !written;
	} else if (n->state == FORGETTING && written) {
		remove_entry(j, n);
	} else if (n->state == FORGETTING) {
		n->state = DONE;
		j->waits++;
	}
}

static void
settle(struct journal *j, bool written)
{
	struct entry *n, *next;

	for (n = TAILQ_FIRST(&j->entries); n != NULL; n = next) {
		next = TAILQ_NEXT(n, link);
		settle_one(j, n, written);
	}
}

static void
work_once(struct journal *j)
{
	size_t live = j->live;
	bool all = j->file.fd < 0 ||
	    (j->file.size > TIDY_ABOVE && j->file.size / 2 > live);
	struct buf *out = buf_new(FILE_MAX + (size_t)JOURNAL_RECORD_MAX);
	int r = out != NULL ? gather(j, out, all) : -ENOMEM;

	j->working = true;
	pthread_mutex_unlock(&j->lock);
	if (r == 0)
		r = all ? journal_file_replace(&j->file, out)
			: journal_file_append(&j->file, out);
	buf_free(out);
	pthread_mutex_lock(&j->lock);
	j->working = false;
	j->counts.syncs += r == 0;
	tell_result(j, r);
	settle(j, r == 0);
}

/* Until there is something to do; a disk that refuses is left alone first. */
static void
rest(struct journal *j)
{
	struct timespec until;

	pthread_cond_broadcast(&j->idle);
	if (!j->failing) {
		pthread_cond_wait(&j->work, &j->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_AFTER;
	int r = 0;
	while (!j->closing && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&j->work, &j->lock, &until);
}

/*
 * A server nearby confirms sooner than this, and then nothing has to be
 * written: with a write at once, `/bin/true` ran a third fewer jobs a second.
 */
static void
gather_some(struct journal *j)
{
	const struct timespec pause = { 0, GATHER_NS };

	if (j->closing)
		return;
	pthread_mutex_unlock(&j->lock);
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&j->lock);
}

static void *
serve(void *arg)
{
	struct journal *j = arg;

	pthread_mutex_lock(&j->lock);
	for (;;) {
		if (j->waits > 0)
			gather_some(j);
		if (j->waits > 0)
			work_once(j);
		if (j->closing && (j->waits == 0 || j->failing))
			break;
		if (j->waits == 0 || j->failing)
			rest(j);
	}
	pthread_cond_broadcast(&j->idle);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* ---- The loop. ------------------------------------------------------------ */

uint64_t
journal_add(
    struct journal *j, const char *server, const struct journal_outcome *o)
{
	struct journal_record r = { .kind = JOURNAL_ADD,
		.id = j->last_id + 1,
		.expires = clock_wall() + (o->expires - clock_mono()),
		.server = { server, strlen(server) },
		.wid = { j->wid, strlen(j->wid) },
		.jid = { o->jid, o->jid_len },
		.line = { o->line, o->len },
		.enqueued_at = { o->enqueued_at, o->enqueued_at_len } };
	struct entry *n = NULL;

	buf_clear(j->scratch);
	int made = journal_record_put(j->scratch, &r);
	pthread_mutex_lock(&j->lock);
	if (made == 0 && j->live + buf_len(j->scratch) <= JOURNAL_BYTES_MAX)
		n = add_entry(
		    j, r.id, buf_front(j->scratch), buf_len(j->scratch));
	if (n == NULL) {
		j->counts.refused++;
	} else {
		j->counts.kept++;
		j->waits++;
		pthread_cond_signal(&j->work);
	}
	pthread_mutex_unlock(&j->lock);
	return n != NULL ? r.id : 0;
}

void
journal_done(struct journal *j, uint64_t id)
{
	if (j == NULL || id == 0)
		return;
	pthread_mutex_lock(&j->lock);
	struct entry *n = find(j, id);
	if (n != NULL && n->state == NEW) {
		j->waits--;
		remove_entry(j, n);
	} else if (n != NULL && n->state == WRITING) {
		n->over = true;
	} else if (n != NULL && n->state == KEPT) {
		n->state = DONE;
		j->waits++;
		pthread_cond_signal(&j->work);
	}
	pthread_mutex_unlock(&j->lock);
}

void
journal_settle(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	while (!j->failing && (j->waits > 0 || j->working))
		pthread_cond_wait(&j->idle, &j->lock);
	pthread_mutex_unlock(&j->lock);
}

struct journal_counts
journal_counts(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	struct journal_counts n = j->counts;
	pthread_mutex_unlock(&j->lock);
	return n;
}

/* ---- The start. ----------------------------------------------------------- */

/* Puts one record into memory, or takes out what it says is done. */
static void
replay_one(struct journal *j, const struct journal_record *r,
    const char *record, size_t size)
{
	struct entry *n = find(j, r->id);

	if (r->kind == JOURNAL_DONE) {
		if (n != NULL)
			remove_entry(j, n);
		return;
	}
	if (n != NULL || r->expires <= clock_wall())
		return;
	n = add_entry(j, r->id, record, size);
	if (n == NULL)
		return;
	n->expires = r->expires;
	n->state = KEPT;
}

static int
replay(struct journal *j, struct err *e)
{
	struct journal_record r;
	size_t len, at = JOURNAL_MAGIC_LEN, size = 1;
	char *text;

	if (journal_file_load(&j->file, FILE_MAX, &text, &len, e) < 0)
		return -e->code;
	if (len > 0 && (len < at || memcmp(text, JOURNAL_MAGIC, at) != 0)) {
		free(text);
		return err_set(
		    e, EINVAL, "%s/outcomes: not a journal", j->file.path);
	}
	while (len > at &&
	    (size = journal_record_read(text + at, len - at, &r)) > 0) {
		replay_one(j, &r, text + at, size);
		at += size;
	}
	if (len > at && size == 0)
		log_say(LOG_LEVEL_WARNING, "journal",
		    "%s/outcomes: its last %zu bytes were cut off and are left "
		    "out",
		    j->file.path, len - at);
	free(text);
	return 0;
}

static int
start_thread(struct journal *j, struct err *e)
{
	sigset_t all, before;

	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&j->thread, NULL, serve, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	j->has_thread = r == 0;
	return r == 0 ? 0 : err_set(e, r, "no thread for the journal");
}

struct journal *
journal_open(const char *dir, const char *wid, struct err *e)
{
	struct journal *j = calloc(1, sizeof *j);
	pthread_condattr_t mono;

	if (j == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&j->work, &mono);
	pthread_cond_init(&j->idle, NULL);
	pthread_condattr_destroy(&mono);
	TAILQ_INIT(&j->entries);
	j->file.fd = j->file.dir = -1;
	j->wid = strdup(wid);
	j->by_id = map_new();
	j->scratch = buf_new(JOURNAL_RECORD_MAX + 64);
	if (j->wid == NULL || j->by_id == NULL || j->scratch == NULL)
		err_set(e, ENOMEM, "out of memory");
	else if (journal_file_open(&j->file, dir, e) == 0 &&
	    replay(j, e) == 0 && start_thread(j, e) == 0)
		return j;
	journal_close(j);
	return NULL;
}

void
journal_found(struct journal *j, const char *server,
    void (*found)(
	void *ctx, const struct journal_outcome *outcome, uint64_t id),
    void *ctx)
{
	struct entry *n, *next;

	for (n = TAILQ_FIRST(&j->entries); n != NULL; n = next) {
		struct journal_record r;
		int64_t left = n->expires - clock_wall();

		next = TAILQ_NEXT(n, link);
		if (journal_record_read(n->record, n->len, &r) == 0 ||
		    r.server.len != strlen(server) ||
		    memcmp(r.server.bytes, server, r.server.len) != 0)
			continue;
		if (left > expires_max)
			left = expires_max;
		const struct journal_outcome o = { .jid = r.jid.bytes,
			.jid_len = r.jid.len,
			.line = r.line.bytes,
			.len = r.line.len,
			.enqueued_at = r.enqueued_at.bytes,
			.enqueued_at_len = r.enqueued_at.len,
			.expires = clock_mono() + left };
		found(ctx, &o, n->id);
	}
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->has_thread) {
		pthread_mutex_lock(&j->lock);
		j->closing = true;
		pthread_cond_signal(&j->work);
		pthread_mutex_unlock(&j->lock);
		pthread_join(j->thread, NULL);
	}
	for (struct entry *n = TAILQ_FIRST(&j->entries), *next; n != NULL;
	     n = next) {
		next = TAILQ_NEXT(n, link);
		free(n);
	}
	journal_file_close(&j->file);
	map_free(j->by_id);
	buf_free(j->scratch);
	pthread_cond_destroy(&j->idle);
	pthread_cond_destroy(&j->work);
	pthread_mutex_destroy(&j->lock);
	free(j->wid);
	free(j);
}
