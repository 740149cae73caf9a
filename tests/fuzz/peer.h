/*
 * peer - one conversation of a made-up server, and what it has said.
 *
 * What is said is taken apart as any reader would: so it is known which
 * request each reply answers, whatever bytes it was made of.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_PEER_H
#define TESTS_FUZZ_PEER_H

#include <sys/socket.h>

#include "protocol/beat.h"
#include "protocol/extension.h"
#include "protocol/fetchb.h"
#include "protocol/hello.h"
#include "protocol/resp.h"
#include "tests/fuzz/program.h"

enum {
	PEERS = 16,
	PEER_SERVERS = 2,
	PEER_REQUESTS = 1024,
	PEER_LINE = 8 << 20,
	PEER_BULK = 64 << 20
};

#define PEER_PASSWORD "secret"

enum asked {           /* what a reply answers */
	ASKED_NOTHING, /* it is the greeting */
	ASKED_HELLO,
	ASKED_BEAT,
	ASKED_FETCH,
	ASKED_OUTCOME, /* ACK, FAIL, RELEASE, and the MUTATE that buries */
	ASKED_PUSH,    /* PUSH, PUSHB */
	ASKED_KINDS
};

struct peer_request {
	enum asked kind;
	bool last;   /* ASKED_OUTCOME: a MUTATE */
	size_t jobs; /* ASKED_FETCH: so many are wanted */
	int64_t at;
	struct account_job *job; /* may be NULL */
};

struct peer {
	int fd; /* -1: none */
	int server;
	unsigned number; /* of this conversation, never 0 */
	bool deaf, patient;
	bool late; /* it may hear what was said long ago */
	struct buf *heard, *unsent, *said;
	size_t scanned;
	size_t early;    /* bytes of said: replies without a request yet */
	size_t replies;  /* said, whole */
	size_t composed; /* these, and those that are still unsent */
	bool is_over;    /* what was said makes it of no more use */
	struct greeting greeting;
	bool greeted, welcome, introduced, ended, gone;
	enum asked only; /* a conversation fetches or tells */
	struct peer_request asked[PEER_REQUESTS];
	size_t nasked;
};

static struct peer peers[PEERS];

static struct {
	unsigned numbers;
	char wid[64];                  /* of the first HELLO */
	bool beat_taken[PEER_SERVERS]; /* ever, by this server, before */
	/* It has answered what may not have been asked yet: such a word can
	 * confirm what then is never heard. */
	bool early[PEER_SERVERS];
	bool fetched[PEER_SERVERS]; /* anything */
	enum worker_state state;    /* as the worker said it last */
	size_t places;              /* of the worker */
	unsigned quiet_in; /* where the worker was told to be quiet; 0: not */
	bool quiet_sure;   /* and it has read that */
	unsigned events;
} peering;

static struct peer *
peer_number(unsigned number)
{
	for (size_t i = 0; number != 0 && i < PEERS; i++)
		if (peers[i].fd >= 0 && peers[i].number == number)
			return &peers[i];
	return NULL;
}

/* ---- what was said means ---------------------------------------------------------- */

static void
peer_means_beat(struct peer *p, const struct resp *r)
{
	struct beat_reply told;

	if ((r->kind != RESP_SIMPLE && r->kind != RESP_BULK) ||
	    beat_read_reply(r->text, r->len, &told) < 0)
		return;
	peering.beat_taken[p->server] = true;
	if (told.state != WORKER_RUNNING)
		peering.quiet_in = p->number;
	beat_reply_clear(&told);
}

/* at: when they were asked for; 0: not yet. known: they were early. */
static void
peer_means_jobs(struct peer *p, int64_t at, bool known, const struct resp *r)
{
	size_t from = 0, len;
	const char *text;

	if (r->kind == RESP_BULK)
		account_handed(
		    r->text, r->len, p->server, p->number, at, known);
	while (r->kind == RESP_ARRAY && resp_next(r, &from, &text, &len))
		account_handed(text, len, p->server, p->number, at, known);
}

static bool
peer_says(const struct resp *r, const char *text)
{
	return memmem(r->text, r->len, text, strlen(text)) != NULL;
}

static void
peer_means_outcome(
    struct peer *p, const struct peer_request *q, const struct resp *r)
{
	struct account_job *j = q->job;

	if (j == NULL)
		return;
	j->told_in = 0;
	if (q->kind != ASKED_OUTCOME)
		return;
	if (r->kind != RESP_ERROR || peer_says(r, "Job not found"))
		j->settled_in = p->number;
	else if (peer_says(r, "invalid") || peer_says(r, "missing") ||
	    peer_says(r, "unknown command") || peer_says(r, "mutat"))
		j->excused = true; /* it need not be repeated */
}

static void
peer_means(struct peer *p, const struct resp *r)
{
	bool known = p->early >= r->size;
	struct peer_request q;
	struct err e;

	p->replies++;
	if (p->replies == 1) {
		p->greeted = r->kind == RESP_SIMPLE &&
		    greeting_parse(r->text, r->len, &p->greeting, &e) == 0;
		p->is_over = !p->greeted;
		return;
	}
	if (p->replies == 2) {
		p->welcome = r->kind == RESP_SIMPLE;
		p->is_over = !p->welcome;
		return;
	}
	q = p->asked[0];
	p->nasked--;
	memmove(p->asked, p->asked + 1, p->nasked * sizeof q);
	if (q.kind == ASKED_BEAT)
		peer_means_beat(p, r);
	else if (q.kind != ASKED_FETCH)
		peer_means_outcome(p, &q, r);
	else if (r->kind != RESP_ARRAY || (size_t)r->number <= q.jobs)
		peer_means_jobs(p, q.at, known, r);
}

/*
 * Replies that are there before their requests. The worker may just be asking,
 * and then it acts on them before it is heard.
 */
static void
peer_looks_ahead(struct peer *p)
{
	struct resp r;

	while (resp_decode(buf_front(p->said) + p->early,
		   buf_len(p->said) - p->early, PEER_BULK, &r) == RESP_OK) {
		peer_means_jobs(p, 0, false, &r);
		p->early += r.size;
		peering.early[p->server] = true;
		peering.beat_taken[p->server] = true;
	}
}

static void
peer_understood(struct peer *p)
{
	struct resp r;
	enum resp_status s = RESP_MORE;

	while (!p->is_over && (p->replies < 2 || p->nasked > 0) &&
	    (s = resp_decode(buf_front(p->said), buf_len(p->said), PEER_BULK,
		 &r)) == RESP_OK) {
		peer_means(p, &r);
		buf_drop(p->said, r.size);
		p->early -= p->early < r.size ? p->early : r.size;
	}
	if (s == RESP_BAD || s == RESP_HUGE)
		p->is_over = true;
	if (!p->is_over && p->replies >= 2)
		peer_looks_ahead(p);
}

/* Whether what was said must make the worker leave. */
static bool
peer_is_useless(const struct peer *p)
{
	struct resp r;

	return p->is_over ||
	    (p->replies >= 2 && p->nasked == 0 &&
		resp_decode(buf_front(p->said), buf_len(p->said), PEER_BULK,
		    &r) != RESP_MORE);
}

/* At most so many bytes of what is unsent. */
static void
peer_send(struct peer *p, size_t most)
{
	size_t n = buf_len(p->unsent);

	if (n > most)
		n = most;
	while (p->fd >= 0 && n > 0) {
		ssize_t r = send(p->fd, buf_front(p->unsent), n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r <= 0)
			return;
		must(buf_append(p->said, buf_front(p->unsent), (size_t)r) == 0);
		buf_drop(p->unsent, (size_t)r);
		n -= (size_t)r;
		peering.events++;
	}
	peer_understood(p);
}

#endif
