/*
 * slots - answers still to come on one connection, in the order of commands.
 *
 * While commands wait for the disk together, each has a slot; an answer that
 * is made before those in front of it stays in its slot until they are out.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SLOTS_H
#define SERVER_SLOTS_H

#include <stdbool.h>

#include "base/buf.h"

struct conn;

struct slot {
	struct conn *conn; /* NULL once the connection is gone */
	bool done;
	struct buf *text; /* the answer, when earlier ones are still to come */
	struct slot *next;
};

/* A new slot behind the others. NULL when memory is short. */
struct slot *slots_add(struct conn *c);

/* Forgets the oldest one. */
void slots_drop(struct conn *c);

/* Where an answer goes that has to wait for others. NULL: no memory. */
struct buf *slots_text(struct slot *slot);

/* Moves to c->out what may go, now that the oldest answer has been made. */
void slots_release(struct conn *c);

/*
 * The connection ends: slots that are done are freed, the others when their
 * command is (conn_resume()).
 */
void slots_forget(struct conn *c);

#endif
