/*
 * hearing - what a made-up server hears, which must be right at that point.
 *
 * Read by the parsers of our own server, in the order in which it comes.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_HEARING_H
#define TESTS_FUZZ_HEARING_H

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "protocol/command.h"
#include "protocol/outcome.h"
#include "tests/fuzz/peer.h"

static void
peer_asked(struct peer *p, const struct peer_request *q)
{
	enum asked only = q->kind == ASKED_FETCH ? ASKED_FETCH : ASKED_BEAT;

	must(p->only == ASKED_NOTHING || p->only == only);
	p->only = only;
	must(p->nasked < PEER_REQUESTS);
	p->asked[p->nasked] = *q;
	p->asked[p->nasked++].at = clock_mono();
	peer_understood(p);
}

static void
peer_hears_hello(struct peer *p, const struct command_line *line)
{
	struct hello h;
	struct err e;

	must(!p->introduced);
	p->introduced = true;
	must(hello_parse(line->arg, line->arg_len, &h, &e) == 0);
	must(h.version == HELLO_VERSION && h.wid != NULL);
	if (peering.wid[0] == '\0')
		snprintf(peering.wid, sizeof peering.wid, "%s", h.wid);
	must(strcmp(h.wid, peering.wid) == 0);
	must((h.extensions & ~p->greeting.extensions) == 0);
	must((h.pwdhash != NULL) == (p->greeting.rounds > 0));
	must(h.pwdhash == NULL ||
	    password_proved(&h, &p->greeting, PEER_PASSWORD));
	hello_clear(&h);
}

static void
peer_hears_beat(struct peer *p, const struct command_line *line)
{
	struct beat b;

	must(beat_parse(line->arg, line->arg_len, &b) == 0);
	must(strcmp(b.wid, peering.wid) == 0);
	must(p->late || b.state >= peering.state);
	if (b.state > peering.state)
		peering.state = b.state;
	free(b.wid);
	peer_asked(p, &(struct peer_request){ .kind = ASKED_BEAT });
}

/* Jobs that the questions which are not answered may bring. */
static size_t
peers_wanted(void)
{
	size_t n = 0;

	for (size_t i = 0; i < PEERS; i++) {
		const struct peer *p = &peers[i];

		/* Who is late may not know that it was given up. */
		for (size_t k = 0; k < p->nasked; k++)
			if (p->fd >= 0 && !p->gone && !p->late)
				n += p->asked[k].jobs;
	}
	return n;
}

static void
peer_hears_fetch(struct peer *p, const struct command_line *line, size_t jobs)
{
	must(line->arg_len > 0);
	must(jobs > 0 && jobs <= FETCHB_JOBS_MAX);
	must(p->nasked == 0); /* one question at a time */
	must(p->late || !account.quiet);
	peering.fetched[p->server] = true;
	must(p->late ||
	    programs_at_work() + peers_wanted() + jobs <= peering.places);
	peer_asked(
	    p, &(struct peer_request){ .kind = ASKED_FETCH, .jobs = jobs });
}

static void
peer_hears_end_of(struct peer *p, const char *jid, size_t len, bool last)
{
	struct peer_request q = { .kind = ASKED_OUTCOME, .last = last };

	q.job = account_told(jid, len, p->server, p->number, p->late, last);
	peer_asked(p, &q);
}

static void
peer_hears_claim(struct peer *p, const struct command_line *line)
{
	struct claim c;

	must(claim_parse(line->arg, line->arg_len, &c) == 0);
	must(c.result.kind == JSON_NONE ||
	    (p->greeting.extensions & EXTENSION_RESULT) != 0);
	peer_hears_end_of(p, c.jid, c.jid_len, false);
	claim_clear(&c);
}

static void
peer_hears_fail(struct peer *p, const struct command_line *line)
{
	struct fail_report r;

	must(fail_parse(line->arg, line->arg_len, &r) == 0);
	must(r.result.kind == JSON_NONE ||
	    (p->greeting.extensions & EXTENSION_RESULT) != 0);
	peer_hears_end_of(p, r.jid, r.jid_len, false);
	fail_clear(&r);
}

/* {"cmd":"kill","target":"retries","filter":{"jids":["..."]}} */
static void
peer_hears_burial(struct peer *p, const struct command_line *line)
{
	struct json object, filter, jids, jid;
	char text[ACCOUNT_JID * 8];

	must(json_check(line->arg, line->arg_len, &object, NULL) == 0);
	must(memchr(line->arg, ' ', line->arg_len) == NULL);
	filter = json_get(&object, "filter");
	jids = json_get(&filter, "jids");
	must(json_count(&jids) == 1);
	struct json_walk w = json_walk(&jids);
	must(json_next_element(&w, &jid));
	must(jid.kind == JSON_STRING);
	if (jid.len > sizeof text) {
		must(account.strange);
		peer_asked(p, &(struct peer_request){ .kind = ASKED_OUTCOME });
		return;
	}
	ssize_t len = json_decode_string(&jid, text, sizeof text);
	must(len > 0);
	peer_hears_end_of(p, text, (size_t)len, true);
}

/* A copy of a job, or jobs that one asked for: of these jids are new. */
static void
peer_hears_push(struct peer *p, const struct command_line *line, bool many)
{
	struct peer_request q = { .kind = ASKED_PUSH };
	struct json all, one;
	struct job job;
	struct err e;

	must(json_check(line->arg, line->arg_len, &all, NULL) == 0);
	must(all.kind == (many ? JSON_ARRAY : JSON_OBJECT));
	struct json_walk w = json_walk(&all);
	for (size_t i = 0; many ? json_next_element(&w, &one) : i < 1; i++) {
		must(job_read(many ? &one : &all, &job, &e) == 0);
		must(job.jid.len > 0);
		if (!many)
			q.job = account_told(job.jid.bytes, job.jid.len,
			    p->server, p->number, p->late, false);
		job_clear(&job);
	}
	peer_asked(p, &q);
}

static void
peer_hears(struct peer *p, const struct command_line *line)
{
	/* Nothing before HI, and after it HELLO. */
	must(p->greeted && !p->ended);
	if (command_is(line, "HELLO")) {
		peer_hears_hello(p, line);
		return;
	}
	must(p->introduced && p->welcome);
	if (command_is(line, "END")) {
		p->ended = true;
		return;
	}
	must(line->arg != NULL);
	if (command_is(line, "BEAT")) {
		peer_hears_beat(p, line);
	} else if (command_is(line, "FETCH")) {
		peer_hears_fetch(p, line, 1);
	} else if (command_is(line, "FETCHB")) {
		const char *arg = line->arg;
		size_t len = line->arg_len;

		must((p->greeting.extensions & EXTENSION_FETCHB) != 0);
		peer_hears_fetch(p, line, fetchb_read_count(&arg, &len));
	} else if (command_is(line, "ACK")) {
		peer_hears_claim(p, line);
	} else if (command_is(line, "RELEASE")) {
		must((p->greeting.extensions & EXTENSION_RELEASE) != 0);
		peer_hears_claim(p, line);
	} else if (command_is(line, "FAIL")) {
		peer_hears_fail(p, line);
	} else if (command_is(line, "MUTATE")) {
		peer_hears_burial(p, line);
	} else {
		must(command_is(line, "PUSH") || command_is(line, "PUSHB"));
		peer_hears_push(p, line, line->verb_len == 5);
	}
}

static void
peer_close(struct peer *p)
{
	if (p->fd < 0)
		return;
	close(p->fd);
	p->fd = -1;
	peering.events++;
}

/* Takes what has arrived. */
static void
peer_take(struct peer *p)
{
	size_t room;
	ssize_t n;

	if (p->fd < 0 || p->deaf)
		return;
	do {
		char *at = buf_room(p->heard, 4096, &room);

		must(at != NULL);
		n = recv(p->fd, at, room, MSG_DONTWAIT);
		if (n > 0)
			buf_filled(p->heard, (size_t)n);
		peering.events += n > 0;
	} while (n > 0);
	p->gone = n == 0 || errno != EAGAIN;
}

static void
peer_listen(struct peer *p)
{
	struct command_line line;
	enum command_status s;

	while ((s = command_decode(buf_front(p->heard), buf_len(p->heard),
		    PEER_LINE, &p->scanned, &line)) == COMMAND_OK) {
		peer_hears(p, &line);
		buf_drop(p->heard, line.size);
	}
	must(s == COMMAND_MORE);
	if (p->gone)
		peer_close(p);
}

/* First everybody takes, so that it is known who has gone. */
static void
peers_listen(void)
{
	for (size_t i = 0; i < PEERS; i++)
		peer_take(&peers[i]);
	for (size_t i = 0; i < PEERS; i++)
		if (peers[i].fd >= 0 && !peers[i].deaf)
			peer_listen(&peers[i]);
}

/* Whether all that was said has been read by the other end, which is there. */
static bool
peer_was_read(const struct peer *p)
{
	int unread = 0;

	return ioctl(p->fd, SIOCOUTQ, &unread) == 0 && unread == 0;
}

/* ---- beginning and end --------------------------------------------------------------- */

/* Returns the worker's end; narrow: it takes little. -1: too many at once. */
static int
peer_open(int server, bool narrow)
{
	struct peer *p = peers;
	int fd[2], room = 1;

	while (p < peers + PEERS && p->fd >= 0)
		p++;
	must(p < peers + PEERS); /* no more than four to a server */
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		 fd) == 0);
	if (narrow)
		(void)setsockopt(
		    fd[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	struct buf *heard = p->heard, *unsent = p->unsent, *said = p->said;

	buf_clear(heard);
	buf_clear(unsent);
	buf_clear(said);
	memset(p, 0, offsetof(struct peer, asked));
	p->nasked = 0;
	p->fd = fd[0];
	p->server = server;
	p->number = ++peering.numbers;
	p->heard = heard;
	p->unsent = unsent;
	p->said = said;
	p->late = narrow;
	peering.events++;
	return fd[1];
}

/* Once a process. */
static void
peers_init(void)
{
	for (size_t i = 0; i < PEERS; i++) {
		peers[i].fd = -1;
		peers[i].heard = buf_new(16 << 20);
		peers[i].unsent = buf_new(16 << 20);
		peers[i].said = buf_new(16 << 20);
		must(peers[i].heard != NULL && peers[i].unsent != NULL &&
		    peers[i].said != NULL);
	}
}

/*
 * All is quiet: what was said in conversations that go on has been read, and
 * done.
 */
static void
peers_are_sure(void)
{
	for (size_t i = 0; i < PEERS; i++)
		if (peers[i].fd >= 0 && !peers[i].deaf)
			must(!peer_is_useless(&peers[i])); /* it has left */
	for (size_t i = 0; i < PEER_SERVERS; i++)
		must(!peering.fetched[i] || peering.beat_taken[i]);
	for (size_t i = 0; i < account.count; i++) {
		struct account_job *j = &account.job[i];
		const struct peer *p = peer_number(j->taken_in);

		j->excused = j->excused || peering.early[j->server];
		if (p != NULL && peer_was_read(p))
			j->taken = true;
		p = peer_number(j->settled_in);
		if (p != NULL && peer_was_read(p))
			j->settled = true;
	}
	memset(peering.early, 0, sizeof peering.early);
	const struct peer *p = peer_number(peering.quiet_in);
	if (p != NULL && peer_was_read(p))
		peering.quiet_sure = true;
}

#endif
