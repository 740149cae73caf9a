/*
 * crashes - jobs that kill their programs, remembered by jid.
 *
 * A job that ends its program by a signal does so on every host that gets it.
 * After `crash_limit` times it is dead. What this supervisor has seen is
 * counted exactly, for as many jobs as there is room; the oldest is forgotten
 * first. Of what happened elsewhere the server keeps the last errtype and the
 * number of failures: when the last one was a signal, all of them count.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CRASHES_H
#define SUPERVISOR_CRASHES_H

#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "handlers/run.h"
#include "handlers/verdict.h"
#include "protocol/job.h"

enum { CRASHES_MAX = 1024 };

struct crash {
	char *jid;       /* owned */
	int64_t attempt; /* the last that crashed here */
	int64_t count;   /* so far */
};

/* Zeroed: none. Only crashes.c looks inside. */
struct crashes {
	struct crash of[CRASHES_MAX];
	size_t count, next; /* a ring */
};

/*
 * When a signal ended the program, it is counted; when that has happened
 * `limit` times (0: no limit), the verdict becomes dead and its message says
 * why. Without memory it is not remembered.
 */
void crashes_judge(struct crashes *c, const struct job *job, int64_t limit,
    const struct run_facts *facts, struct verdict *v);

void crashes_clear(struct crashes *c);

/* For a successor; into one without. */
void crashes_save(const struct crashes *c, struct state_writer *w);
void crashes_load(struct crashes *c, struct state_reader *r);

#endif
