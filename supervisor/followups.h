/*
 * followups - the jobs that a program wants pushed once its own has succeeded.
 *
 * They wait here until then, whole as a server wants them: a job without a
 * jid gets one made of the dispatch and its place, so that the same job pushed
 * twice is recognised. A job that cannot be pushed, or is one too many, is
 * remembered as a refusal: its sender must not count as having succeeded.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_FOLLOWUPS_H
#define SUPERVISOR_FOLLOWUPS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/state.h"

enum {
	FOLLOWUPS_WHY_MAX = 256,
	FOLLOWUPS_BYTES_MAX = 2 * 1024 * 1024, /* the highest push_size */
};

struct followups_limits {
	size_t count;
	size_t bytes; /* of all together */
};

/* Zeroed at first. To be read only, from outside. */
struct followups {
	struct buf *jobs;            /* "{...},{...}"; NULL: none yet */
	size_t asked;                /* how many came */
	char why[FOLLOWUPS_WHY_MAX]; /* the first refusal; "": none */
};

/*
 * Takes a checked JSON object. dispatch begins the jid of one that has none:
 * "<dispatch>-1" for the first that came. Returns 0; -EINVAL when it is
 * refused, and why says so; -ENOMEM likewise.
 */
int followups_take(struct followups *f, const struct json *job,
    const char *dispatch, const struct followups_limits *limits);

/* The elements of an array, with commas between. *len is 0 without any. */
const char *followups_jobs(const struct followups *f, size_t *len);

/* For a successor; loads into a zeroed one. */
void followups_save(const struct followups *f, struct state_writer *w);
void followups_load(struct followups *f, struct state_reader *r);

void followups_clear(struct followups *f);

#endif
