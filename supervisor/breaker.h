/*
 * breaker - whether a handler works, judged by how its jobs end.
 *
 *            it cannot be started, or too many of its
 *            last jobs failed in the same way
 *   CLOSED --------------------------------------------> OPEN
 *     ^                                                 |    ^
 *     | the probe ends                 the cooldown     |    | the probe fails
 *     | in any other way               is over          v    | in this way
 *     '---------------------------------------------- PROBING
 *
 * It only keeps the books: nothing here knows of jobs, queues or timers. All
 * times are clock_mono(); the caller passes `now`.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_BREAKER_H
#define SUPERVISOR_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "config/settings.h"

enum breaker_state {
	BREAKER_CLOSED,  /* all is well */
	BREAKER_OPEN,    /* nothing is started until the cooldown is over */
	BREAKER_PROBING, /* one job may start */
};

/* How a job ended, as far as it says something about its handler. */
enum breaker_sign {
	BREAKER_NO_SIGN, /* we ended it, or it never was the handler's turn */
	BREAKER_WORKS,
	BREAKER_FAILS,
	BREAKER_UNAVAILABLE, /* its program could not be started */
};

/* "closed", "open", "probing". */
const char *breaker_state_name(enum breaker_state state);

enum breaker_event { BREAKER_STAYS, BREAKER_OPENS, BREAKER_CLOSES };

#define BREAKER_TRUST INT64_C(1000000000) /* ns that a probe must run */

enum { BREAKER_ERRTYPE_MAX = 128, BREAKER_REASON_MAX = 256 };

struct breaker_end;

/* Zeroed: closed. Others read; only breaker.c writes. */
struct breaker {
	enum breaker_state state;
	bool probe;    /* of PROBING: its one job has been started */
	int64_t until; /* of OPEN: the end of the cooldown; of a probe of what
			  could not be started: when it has shown that it can */
	int64_t cooldown; /* ns; of OPEN and PROBING */
	uint64_t opened;  /* how often, failed probes not counted */
	bool unavailable; /* of OPEN and PROBING: why */
	char errtype[BREAKER_ERRTYPE_MAX]; /* likewise */
	char reason[BREAKER_REASON_MAX];   /* likewise, for people */

	struct breaker_end *ends; /* the last ones, a ring; owned */
	size_t room, count, next; /* of ends */
};

/* What one end says. errtype and message only for the last two signs. */
struct breaker_note {
	enum breaker_sign sign;
	const char *errtype;
	const char *message;
	bool probe; /* it was the one that PROBING let through */
};

/*
 * Takes note. While it is not closed only the probe counts, and a program
 * that cannot be started. Without memory for the last ends, failures do not
 * open it.
 */
enum breaker_event
breaker_note(struct breaker *b, const struct breaker_settings *s,
    const struct breaker_note *n, int64_t now);

/* Whether a job may start. */
bool breaker_lets(const struct breaker *b);

/* One starts. Returns whether it is the probe. */
bool breaker_begin(struct breaker *b, int64_t now);

/*
 * When a probe that still runs has shown enough: what could not be started has
 * been. INT64_MAX: only its end tells.
 */
int64_t breaker_trusts_at(const struct breaker *b);
void breaker_wait_more(struct breaker *b, int64_t now);

/*
 * Nothing could be tried, by no fault of the handler: what was PROBING is OPEN
 * as long as before. Returns whether it was.
 */
bool breaker_rest(struct breaker *b, int64_t now);

/* A probe of a predecessor in this process goes on. */
void breaker_take_probe(struct breaker *b);

/* The end of the cooldown: OPEN becomes PROBING. Returns whether it did. */
bool breaker_turn(struct breaker *b, int64_t now);

/* The settings have changed. Returns whether that closed it. */
bool breaker_reset(struct breaker *b, const struct breaker_settings *s);

/* Frees what it has. It is closed afterwards. */
void breaker_clear(struct breaker *b);

/* For a successor: its state, not the last ends. A bad state changes nothing.
 */
void breaker_save(const struct breaker *b, struct state_writer *w);
void breaker_load(struct breaker *b, struct state_reader *r);

#endif
