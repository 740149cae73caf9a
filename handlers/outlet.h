/*
 * outlet - one stream that a program writes, drained and cut into lines.
 *
 * Read as it comes, once it is watched, a bounded piece in each turn of the loop, so that no
 * program keeps the loop from the others. What the lines mean, and how many
 * of the bytes are worth being lines, is for the owner.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_OUTLET_H
#define HANDLERS_OUTLET_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "handlers/lines.h"

enum { OUTLET_TURN_MAX = 64 * 1024 }; /* bytes */

struct outlet;

/* ctx is the owner's; bytes are borrowed during the call. */
struct outlet_hooks {
	/* Everything that was read. Returns how much of it becomes lines. */
	size_t (*take)(struct outlet *o, const char *bytes, size_t len);
	/* As lines_emit. */
	void (*line)(
	    struct outlet *o, const char *bytes, size_t len, bool more);
	/* A turn is over, and the outlet may be closed; may free it. */
	void (*turned)(struct outlet *o);
};

struct outlet {
	const struct outlet_hooks *hooks; /* borrowed */
	void *ctx;                        /* the owner's */
	struct ev_loop *loop;
	int fd; /* -1 before the start and after the end */
	ev_io readable;
	struct lines *lines; /* owned */
};

/*
 * Makes a closed outlet; longer lines than line_max come in pieces. Returns 0
 * or -ENOMEM; outlet_clear() in either case.
 */
int outlet_init(struct outlet *o, struct ev_loop *loop, size_t line_max,
    const struct outlet_hooks *hooks, void *ctx);

/* To be called for a closed outlet; calls no hook. */
void outlet_clear(struct outlet *o);

/* Takes over fd, which must not block. Nothing reads it by itself yet. */
void outlet_open(struct outlet *o, int fd);

/* Reads it as it comes from now on; again, or when closed: nothing. */
void outlet_watch(struct outlet *o);

bool outlet_is_open(const struct outlet *o);

/* One turn without `turned`: what is there now, at most OUTLET_TURN_MAX. */
void outlet_pull(struct outlet *o);

/* Emits what came after the last line end, if anything. Again: nothing. */
void outlet_close(struct outlet *o);

/* The descriptor and the unfinished line; load into a closed one, and watch. */
void outlet_save(const struct outlet *o, struct state_writer *w);
void outlet_load(struct outlet *o, struct state_reader *r);

#endif
