/*
 * tally - how many jobs of each jobtype there are, in whatever state.
 *
 * A job keeps the number of its jobtype, two bytes. Jobtypes that are too many
 * or too long to be told apart count together; what has no jobs any more gives
 * its number to another.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_TALLY_H
#define SERVER_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	TALLY_TYPES_MAX = 4096, /* with jobs at one time */
	TALLY_NAME_MAX = 255,   /* bytes */
	TALLY_REST = 0,         /* the number of all others */
};

struct tally;

/* NULL: memory is short. */
struct tally *tally_new(void);

/* Accepts NULL. */
void tally_free(struct tally *t);

/* One job more; name is borrowed during the call. Its jobtype's number, which
 * is TALLY_REST also when memory is short. */
uint16_t tally_enter(struct tally *t, const char *name, size_t len);

/* One less. */
void tally_leave(struct tally *t, uint16_t number);

/*
 * Appends {"jobtypes":{"NAME":JOBS,...},"others":JOBS}, those with jobs, in no
 * order. 0, -ENOMEM or -ENOBUFS.
 */
int tally_put(const struct tally *t, struct buf *out);

#endif
