/*
 * conn - one client's connection as a state machine.
 *
 *   accept --> SECURING --TLS--> GREETED --HELLO--> SERVING --END, EOF, error--> CLOSING
 *                 |  5 s            |  2 s, anything else                          ^
 *                 +-----------------+----------------------------------------------+
 *
 * In plain text SECURING ends at once.
 *
 * Commands of a connection are served in order and answered in order. Those
 * that only wait for the disk (see `streams` in commands.c) may wait together,
 * so that a client which sends ahead pays for one sync and not for each; all
 * others are served alone. Events only mark a connection as dirty; what
 * follows is done at the end of the turn, in one place, which alone frees
 * connections.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include <ev.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "protocol/beat.h"
#include "protocol/fetchb.h"
#include "protocol/hello.h"
#include "protocol/stream.h"

struct entry;
struct fetch;
struct server;
struct slot;
struct worker;

enum conn_state {
	CONN_SECURING, /* the TLS handshake */
	CONN_GREETED,  /* HI is sent; only HELLO is understood */
	CONN_SERVING,
	CONN_CLOSING, /* freed at the end of the turn */
};

/* A command that waits for the disk; see conn_wait(). */
struct pending {
	struct slot *slot;
};

struct conn {
	struct server *server;
	enum conn_state state;
	struct stream *stream; /* owned */
	bool readable;         /* there may be bytes to read */
	bool eof;              /* the peer sends no more */
	bool by_host;          /* its host has closed it: FIN or reset */
	bool said_end;
	bool disowned;  /* its worker waits for no job here: HELD */
	bool last_word; /* close once out is empty */
	bool is_dirty;
	struct buf *in;
	struct buf *out;
	size_t scanned;   /* command_decode()'s memory */
	size_t accounted; /* our part of server->buffered */
	ev_io io;
	ev_timer handshake; /* active exactly in SECURING and GREETED */
	ev_timer stalled;   /* active while answers wait for the peer */
	int untaken;        /* bytes that the system held at its last turn */
	struct greeting greeting;
	struct worker *worker; /* NULL: a producer */
	char peer[64];         /* for the log */

	/* Answers to come, oldest first; and where the one being made goes. */
	struct slot *slots, *last_slot;
	size_t nslots;
	struct buf *sink;

	struct fetch *fetch; /* what a FETCH waits for */
	struct buf *jobs;    /* FETCHB: its jobs so far; owned */
	/* Jobs whose bytes are in jobs or still in out; NULL: over since. */
	struct entry *undelivered[FETCHB_JOBS_MAX];
	size_t nundelivered;

	struct conn *prev, *next;
	struct conn *next_dirty;
};

/* Takes fd. Sends the greeting. NULL when memory is short; fd is closed. */
struct conn *conn_new(struct server *s, int fd, const char *peer);

/* Its wid, "" for a producer. Borrowed. */
const char *conn_wid(const struct conn *c);

/* Answers of the command being served; exactly one of them for each. */
void conn_ok(struct conn *c);
void conn_error(struct conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void conn_bulk(struct conn *c, const char *bytes, size_t len);
void conn_null(struct conn *c);

void conn_beat(struct conn *c, const struct beat_reply *reply);

/* conn_bulk() with a job: when it cannot be written, the job goes back. */
void
conn_deliver(struct conn *c, struct entry *e, const char *bytes, size_t len);

/*
 * The same in parts: jobs are gathered in c->jobs, which must be there, and
 * go out in one answer. False: no more than what has been gathered so far
 * goes into it.
 */
bool
conn_gather(struct conn *c, struct entry *e, const char *bytes, size_t len);
void conn_deliver_gathered(struct conn *c);

/* Instead of an answer: it comes later, through p->conn. */
void conn_wait(struct conn *c, struct pending *p);
/* Ends the wait; returns the connection, or NULL when it is gone. */
struct conn *conn_resume(struct pending *p);

/* There is something to be done for it at the end of the turn. */
void conn_mark(struct conn *c);

/* Closes without a word; takes effect at the end of the turn. */
void conn_close(struct conn *c);
/* Closes when what has been answered is out. */
void conn_close_after(struct conn *c);

/* Whether unread commands and untaken answers are above limits.memory. */
bool conns_hold_too_much(const struct server *s);

/* Whether the peer has closed its side by now, as far as we can know. */
bool conn_peer_gone(struct conn *c);

/* The end of a turn, for every dirty connection. */
void conns_turn(struct server *s);

#endif
