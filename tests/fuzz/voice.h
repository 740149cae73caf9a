/*
 * voice - one client of a conversation: what it says, and what it hears.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_VOICE_H
#define TESTS_FUZZ_VOICE_H

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "protocol/resp.h"
#include "tests/fuzz/ledger.h"

enum { VOICE_LINES = 1024, VOICE_BULK = 1 << 20, NO_JOB = -1 };

enum said {
	SAID_HARMLESS, /* moves no job */
	SAID_PUSH,
	SAID_BULK, /* a PUSHB of one job */
	SAID_FETCH,
	SAID_INFO,
	SAID_MOVING, /* may move jobs */
	SAID_ACK,    /* naming the worker: +OK means that it was its job */
	SAID_FLUSH,
};

/* A line as it was meant; and where in all that is said it stands. */
struct voice_line {
	enum said said;
	int job;
	size_t begin, end;
};

struct voice {
	int fd; /* -1: there is no connection */
	bool deaf;
	bool patient; /* says only what it is made to */
	bool ended;   /* the server has closed */
	struct buf *unsent, *heard;
	struct buf *partial;   /* the line under way */
	size_t composed, sent; /* bytes, since it began */
	size_t muttered;       /* of these, bytes without a meaning */
	/* Meant, and not said yet; said, and not answered yet. */
	struct voice_line meant[VOICE_LINES], asked[VOICE_LINES];
	size_t nmeant, nasked;
	bool greeted;
	struct buf *info; /* the last answer to an INFO */
	size_t flushed;
};

enum { VOICES = 6 };
static struct voice voices[VOICES];
static bool voice_left_behind; /* one left while something was to happen */

/* Whether something that may move jobs was said, or begun, and may still
 * happen. */
static bool
voices_are_calm(void)
{
	bool calm = !voice_left_behind;

	for (size_t i = 0; i < VOICES; i++) {
		const struct voice *v = &voices[i];

		if (v->fd < 0)
			continue;
		calm = calm && buf_len(v->unsent) + buf_len(v->partial) == 0;
		for (size_t k = 0; k < v->nasked; k++)
			calm = calm && v->asked[k].said < SAID_MOVING;
	}
	return calm;
}

/* ---- speaking -------------------------------------------------------------- */

/* A line that was made up, or glued together: what may it do? */
static enum said
voice_guess(const char *line, size_t len)
{
	static const char *const harmless[] = { "INFO", "BEAT", "RESULT",
		"TRACK", "BATCH", "HELLO", "END" };

	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
		if (len >= strlen(harmless[i]) &&
		    memcmp(line, harmless[i], strlen(harmless[i])) == 0)
			return SAID_HARMLESS;
	if (len == 0 || line[0] < 'A' || line[0] > 'Z')
		return SAID_HARMLESS; /* no verb begins like that */
	ledger.strange = true;
	ledger_all_may_go();
	return SAID_MOVING;
}

static void
voice_line_said(struct voice *v)
{
	size_t end = v->sent, begin = end - buf_len(v->partial);
	struct voice_line as = { .job = NO_JOB };
	size_t gone = 0;

	while (gone < v->nmeant && v->meant[gone].begin < begin)
		gone++;
	if (gone < v->nmeant && v->meant[gone].begin == begin &&
	    v->meant[gone].end == end)
		as = v->meant[gone++];
	else
		as.said =
		    voice_guess(buf_front(v->partial), buf_len(v->partial));
	v->nmeant -= gone;
	memmove(v->meant, v->meant + gone, v->nmeant * sizeof v->meant[0]);
	buf_clear(v->partial);
	must(v->nasked < VOICE_LINES);
	v->asked[v->nasked++] = as;
}

static void
voice_was_sent(struct voice *v, size_t n)
{
	const char *bytes = buf_front(v->unsent);

	for (size_t i = 0; i < n; i++) {
		must(buf_putc(v->partial, bytes[i]) == 0);
		v->sent++;
		if (bytes[i] == '\n')
			voice_line_said(v);
	}
	buf_drop(v->unsent, n);
}

/* At most so many bytes of what is unsent. */
static void
voice_send(struct voice *v, size_t most)
{
	size_t n = buf_len(v->unsent);

	if (n > most)
		n = most;
	while (v->fd >= 0 && n > 0) {
		ssize_t r = send(v->fd, buf_front(v->unsent), n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r <= 0)
			return;
		voice_was_sent(v, (size_t)r);
		n -= (size_t)r;
	}
}

/* Bytes of which nobody knows what lines they will make. */
static void
voice_mutter(struct voice *v, const char *bytes, size_t len)
{
	/* No more lines than can be kept account of. */
	if (v->fd < 0 ||
	    v->nmeant + v->nasked + v->muttered + len >= VOICE_LINES)
		return;
	v->muttered += len;
	v->composed += len;
	must(buf_append(v->unsent, bytes, len) == 0);
	if (!v->patient)
		voice_send(v, SIZE_MAX);
}

/* A whole line, without its end. */
static void
voice_say(struct voice *v, enum said said, int job, const char *text)
{
	size_t begin = v->composed;
	size_t len = strlen(text) + 2;

	if (v->fd < 0 || v->nmeant + v->nasked >= VOICE_LINES / 2)
		return;
	v->meant[v->nmeant++] =
	    (struct voice_line){ said, job, begin, begin + len };
	v->composed += len;
	must(buf_printf(v->unsent, "%s\r\n", text) == 0);
	if (!v->patient)
		voice_send(v, SIZE_MAX);
}

/* ---- hearing --------------------------------------------------------------- */

/* The jid of a delivered job stands first in what is delivered. */
static void
voice_hear_job(const char *text, size_t len)
{
	static const char key[] = "\"jid\":\"";
	const char *at = memmem(text, len, key, sizeof key - 1);

	if (at == NULL)
		return;
	at += sizeof key - 1;
	const char *end = memchr(at, '"', (size_t)(text + len - at));
	must(end != NULL);
	ledger_delivered(at, (size_t)(end - at), voices_are_calm());
}

/* One, or several at once. */
static void
voice_hear_jobs(const struct resp *r)
{
	size_t at = 0, len;
	const char *text;

	if (r->kind == RESP_BULK)
		voice_hear_job(r->text, r->len);
	while (r->kind == RESP_ARRAY && resp_next(r, &at, &text, &len))
		voice_hear_job(text, len);
}

static void
voice_hear_about(struct ledger_job *j, enum said said, const struct resp *r)
{
	bool ok = r->kind == RESP_SIMPLE;

	if (said == SAID_ACK) {
		j->settled = j->settled || ok;
		return;
	}
	if (said == SAID_BULK)
		ok = r->kind == RESP_BULK && r->len == 2;
	if (ok)
		j->ok = true;
	else if (!j->again)
		j->refused = true;
}

static void
voice_hear_one(struct voice *v, const struct resp *r)
{
	struct voice_line as = { .job = NO_JOB };

	if (!v->greeted) {
		must(r->kind == RESP_SIMPLE || r->kind == RESP_ERROR);
		v->greeted = true;
		return;
	}
	/* A line that is too long is refused before it has ended. */
	must(v->nasked > 0 || buf_len(v->partial) > 0);
	if (v->nasked > 0) {
		as = v->asked[0];
		v->nasked--;
		memmove(v->asked, v->asked + 1, v->nasked * sizeof as);
	}
	if (as.job != NO_JOB && (size_t)as.job < ledger.count)
		voice_hear_about(&ledger.job[as.job], as.said, r);
	if (as.said == SAID_FETCH)
		voice_hear_jobs(r);
	if (as.said == SAID_INFO && r->kind == RESP_BULK) {
		buf_clear(v->info);
		must(buf_append(v->info, r->text, r->len) == 0);
	}
	if (as.said == SAID_FLUSH && r->kind == RESP_SIMPLE)
		v->flushed++;
}

/* Takes what has arrived. */
static void
voice_take(struct voice *v)
{
	ssize_t n;

	do {
		size_t room;
		char *at = buf_room(v->heard, 4096, &room);

		must(at != NULL);
		n = recv(v->fd, at, room, MSG_DONTWAIT);
		if (n > 0)
			buf_filled(v->heard, (size_t)n);
	} while (n > 0);
	v->ended = n == 0 || errno != EAGAIN;
	if (v->ended)
		ledger_all_may_move();
}

/* Everybody takes what there is. Returns whether there was anything. */
static bool
voices_listen(void)
{
	struct pollfd p[VOICES];
	bool heard = false;

	for (size_t i = 0; i < VOICES; i++) {
		const struct voice *v = &voices[i];

		p[i].fd = v->ended ? -1 : v->fd;
		p[i].events = (short)(v->deaf ? POLLRDHUP : POLLIN | POLLRDHUP);
	}
	if (poll(p, VOICES, 0) <= 0)
		return false;
	for (size_t i = 0; i < VOICES; i++) {
		if (p[i].revents == 0)
			continue;
		if (voices[i].deaf) {
			ledger_all_may_move();
			continue;
		}
		voice_take(&voices[i]);
		heard = true;
	}
	return heard;
}

/* Takes replies apart; after voices_listen(). */
static void
voice_understand(struct voice *v)
{
	struct resp r;
	enum resp_status s;

	while ((s = resp_decode(buf_front(v->heard), buf_len(v->heard),
		    VOICE_BULK, &r)) == RESP_OK) {
		voice_hear_one(v, &r);
		buf_drop(v->heard, r.size);
	}
	must(s == RESP_MORE);
}

/* ---- beginning and end ------------------------------------------------------ */

/* Returns the server's end. */
static int
voice_open(struct voice *v, int room)
{
	int fd[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		 fd) == 0);
	if (room > 0)
		(void)setsockopt(
		    fd[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	v->fd = fd[0];
	v->deaf = v->patient = v->ended = v->greeted = false;
	v->composed = v->sent = v->muttered = v->nmeant = v->nasked =
	    v->flushed = 0;
	buf_clear(v->unsent);
	buf_clear(v->heard);
	buf_clear(v->partial);
	buf_clear(v->info);
	return fd[1];
}

/* With unread answers it is as a reset. */
static void
voice_close(struct voice *v)
{
	if (v->fd < 0)
		return;
	if (!voices_are_calm())
		voice_left_behind = true;
	ledger_all_may_move();
	close(v->fd);
	v->fd = -1;
}

static void
voice_init(struct voice *v)
{
	struct buf **all[] = { &v->unsent, &v->heard, &v->partial, &v->info };

	v->fd = -1;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		*all[i] = buf_new(16 << 20);
		must(*all[i] != NULL);
	}
}

#endif
