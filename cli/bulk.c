/*
 * bulk - push many jobs, one line of JSON each, as fast as they are written.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/bulk.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/progress.h"

enum {
	READ_CHUNK = 256 * 1024,
	PAUSE_MS = 20,   /* of the writer, after which a part batch is sent */
	SHOWN_MAX = 300, /* bytes of the server's words that are repeated */
};

struct sent {
	char *jid; /* owned */
	int64_t line;
	bool told; /* an error has been told of it */
};

struct bulk {
	struct connection *conn;
	struct draft draft;
	struct bulk_result *result;
	struct progress progress;
	struct buf *in;
	size_t scanned; /* bytes at the front of in without a line end */
	struct buf *batch;
	struct sent jobs[BULK_JOBS];
	size_t njobs;
	int64_t line;  /* lines taken so far */
	int64_t bytes; /* of them */
};

bool
bulk_is_refusal(const char *text, size_t len)
{
	static const char *const words[] = {
		"invalid JSON",
		"invalid timestamp",
		"jobs must have",
		"jobs cannot be",
		"cannot get \"",
		"NOTUNIQUE",
	};

	if (len >= 4 && memcmp(text, "ERR ", 4) == 0) {
		text += 4;
		len -= 4;
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t n = strlen(words[i]);

		if (len >= n && memcmp(text, words[i], n) == 0)
			return true;
	}
	return false;
}

/* A server's words end up on a terminal: no control characters. */
static void
say_words(const char *text, size_t len)
{
	size_t shown = len < SHOWN_MAX ? len : SHOWN_MAX;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc(c < 0x20 || c == 0x7f ? ' ' : c, stderr);
	}
	fputc('\n', stderr);
}

static void
tell_line(const struct bulk *b, int64_t line, const char *jid, const char *text,
    size_t len)
{
	progress_clear(&b->progress);
	fprintf(stderr, "line %" PRId64 ": ", line);
	if (jid != NULL)
		fprintf(stderr, "jid %s: ", jid);
	say_words(text, len);
}

static void
count(struct bulk *b, int64_t jobs, const char *text, size_t len)
{
	if (bulk_is_refusal(text, len))
		b->result->refused += jobs;
	else
		b->result->postponed += jobs;
}

static void
forget_batch(struct bulk *b)
{
	for (size_t i = 0; i < b->njobs; i++)
		free(b->jobs[i].jid);
	b->njobs = 0;
	buf_clear(b->batch);
}

/* The whole batch, when the reason is not one job's. */
static void
tell_batch(struct bulk *b, const char *text, size_t len)
{
	int64_t first = b->jobs[0].line;
	int64_t last = b->jobs[b->njobs - 1].line;

	progress_clear(&b->progress);
	if (first == last)
		fprintf(stderr, "line %" PRId64 ": ", first);
	else
		fprintf(
		    stderr, "lines %" PRId64 " to %" PRId64 ": ", first, last);
	say_words(text, len);
}

/* One member of PUSHB's reply: the jid of a job and what is wrong with it. */
static int
take_error(struct bulk *b, const struct json *key, const struct json *value)
{
	char *text = malloc(value->len);

	if (text == NULL)
		return -ENOMEM;
	ssize_t n = json_decode_string(value, text, value->len);
	size_t len = n < 0 ? 0 : (size_t)n;
	for (size_t i = 0; i < b->njobs; i++) {
		struct sent *s = &b->jobs[i];

		if (s->told || !json_string_is(key, s->jid, strlen(s->jid)))
			continue;
		s->told = true;
		count(b, 1, text, len);
		b->result->pushed--;
		tell_line(b, s->line, s->jid, text, len);
		break;
	}
	free(text);
	return 0;
}

static int
take_reply(struct bulk *b, const struct resp *reply)
{
	struct json map, key, value;

	if (reply->kind == RESP_ERROR) {
		tell_batch(b, reply->text, reply->len);
		count(b, (int64_t)b->njobs, reply->text, reply->len);
		return 0;
	}
	if (reply->kind != RESP_BULK ||
	    json_check(reply->text, reply->len, &map, NULL) < 0 ||
	    map.kind != JSON_OBJECT) {
		static const char odd[] = "the server's answer makes no sense";

		tell_batch(b, odd, sizeof odd - 1);
		b->result->postponed += (int64_t)b->njobs;
		return -EPROTO;
	}
	b->result->pushed += (int64_t)b->njobs;
	struct json_walk w = json_walk(&map);
	while (json_next_member(&w, &key, &value))
		if (take_error(b, &key, &value) < 0)
			return -ENOMEM;
	return 0;
}

static int
flush(struct bulk *b)
{
	struct resp reply;
	struct err e;

	if (b->njobs == 0)
		return 0;
	int r = buf_putc(b->batch, ']');
	if (r == 0)
		r = connection_ask(b->conn, "PUSHB", buf_front(b->batch),
		    buf_len(b->batch), &reply, &e);
	else
		(void)err_set(&e, -r, "%s", strerror(-r));
	if (r == 0) {
		r = take_reply(b, &reply);
	} else {
		tell_batch(b, e.text, strlen(e.text));
		fputs("whether that was pushed is not known\n", stderr);
		b->result->postponed += (int64_t)b->njobs;
	}
	forget_batch(b);
	progress_at(&b->progress, b->result->pushed, b->bytes);
	return r;
}

static bool
blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r", text[i]) == NULL || text[i] == '\0')
			return false;
	return true;
}

/* Adds one line to the batch. Negative when nothing can go on. */
static int
take_line(struct bulk *b, const char *text, size_t len)
{
	struct err e;
	int r = 0;

	b->line++;
	b->bytes += (int64_t)len + 1;
	if (blank(text, len))
		return 0;
	if (b->njobs == BULK_JOBS ||
	    (b->njobs > 0 && buf_len(b->batch) + len > BULK_BYTES))
		r = flush(b);
	size_t before = buf_len(b->batch);
	if (r == 0)
		r = buf_putc(b->batch, before == 0 ? '[' : ',');
	if (r < 0)
		return r;
	/* Close enough for a whole batch, and the writer may be slow. */
	if (before == 0)
		b->draft.now = clock_wall();

	struct sent *s = &b->jobs[b->njobs];
	r = draft_complete(b->batch, text, len, &b->draft, &s->jid, &e);
	if (r == 0) {
		s->line = b->line;
		s->told = false;
		b->njobs++;
		return 0;
	}
	buf_cut(b->batch, before);
	tell_line(b, b->line, NULL, e.text, strlen(e.text));
	if (r != -EINVAL)
		return r;
	b->result->refused++;
	return 0;
}

/* Every whole line that has arrived; at the end also one without its end. */
static int
take_lines(struct bulk *b, bool at_end)
{
	for (;;) {
		const char *front = buf_front(b->in);
		size_t len = buf_len(b->in);
		const char *end = len > b->scanned
		    ? memchr(front + b->scanned, '\n', len - b->scanned)
		    : NULL;

		b->scanned = len;
		if (end == NULL && !(at_end && len > 0))
			return 0;
		size_t used = end != NULL ? (size_t)(end - front) : len;
		int r = take_line(b, front, used);
		if (r < 0)
			return r;
		buf_drop(b->in, end != NULL ? used + 1 : used);
		b->scanned = 0;
	}
}

/* Bytes read, 0 at the end, or negative with the reason told. */
static ssize_t
read_some(struct bulk *b, int fd)
{
	size_t room;
	char *at = buf_room(b->in, READ_CHUNK, &room);
	ssize_t n;

	if (at == NULL) {
		static const char huge[] = "the line is too long";

		tell_line(b, b->line + 1, NULL, huge, sizeof huge - 1);
		return -ENOBUFS;
	}
	do
		n = read(fd, at, room);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		int r = -errno;

		progress_clear(&b->progress);
		fprintf(stderr, "read: %s\n", strerror(-r));
		return r;
	}
	buf_filled(b->in, (size_t)n);
	return n;
}

static int
read_all(struct bulk *b, int fd)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = 0;

		if (b->njobs > 0 && poll(&p, 1, PAUSE_MS) == 0)
			r = flush(b);
		if (r < 0)
			return r;
		ssize_t n = read_some(b, fd);
		if (n < 0)
			return (int)n;
		r = take_lines(b, n == 0);
		if (r < 0 || n == 0)
			return r;
	}
}

static int64_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
}

int
bulk_push(struct connection *c, int fd, const struct draft *d,
    struct bulk_result *result)
{
	struct bulk *b = calloc(1, sizeof *b);
	int r = -ENOMEM;

	*result = (struct bulk_result){ 0 };
	if (b == NULL)
		return r;
	b->conn = c;
	b->draft = *d;
	b->result = result;
	b->in = buf_new(BULK_LINE_MAX);
	b->batch = buf_new(BULK_LINE_MAX + BULK_BYTES);
	progress_begin(&b->progress, size_of(fd));
	if (b->in != NULL && b->batch != NULL)
		r = read_all(b, fd);

	/* What was understood before the input went bad is still pushed. */
	if (b->njobs > 0 && r != -EPROTO) {
		int sent = flush(b);

		r = r < 0 ? r : sent;
	}
	result->broken = r < 0;
	progress_clear(&b->progress);
	buf_free(b->in);
	buf_free(b->batch);
	free(b);
	return r;
}
