/*
 * wire - one connection of the load generator: a request out, a reply in.
 *
 * It speaks to any server of the protocol and never has more than one
 * request on its way. A server that surprises it ends the program with a
 * message and status 1: a benchmark of a broken server says nothing.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_SILENCE_MS = 30000, WIRE_IN_BYTES = 32768 };

enum reply_kind { REPLY_PART, REPLY_SIMPLE, REPLY_ERROR, REPLY_BULK };

struct reply {
	enum reply_kind kind;
	const char *text; /* borrowed from the wire, until it is asked again */
	size_t len;
};

struct wire {
	int fd;
	int epoll;
	unsigned id;
	bool wants_out;
	size_t in_len;
	size_t out_len;
	size_t out_done;
	size_t out_max;
	char *out; /* owned; a request longer than a line is built in place */
	char in[WIRE_IN_BYTES];
};

/* Says why on stderr; exit status 1. */
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Returns memory, which malloc or its like gave, unless it is NULL. */
void *must(void *memory);

/*
 * Connects to the loopback's port, shakes hands as worker `wid` and joins
 * epoll with w as the event's data. No request is longer than out_max.
 */
void wire_dial(
    struct wire *w, int epoll, unsigned port, const char *wid, size_t out_max);
void wire_close(struct wire *w);

/* Sends one line; the reply will come through wire_event(). */
void wire_ask(struct wire *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Sends the first len bytes of w->out. */
void wire_send(struct wire *w, size_t len);

/* Goes on after epoll's events; true when r is the whole reply. */
bool wire_event(struct wire *w, uint32_t events, struct reply *r);

/* Both end the program if the reply is of another kind. */
void wire_expect_ok(const struct wire *w, const struct reply *r);
void wire_expect_bulk(const struct wire *w, const struct reply *r);

#endif
