/*
 * output_store - the files that programs' output is written into.
 *
 * Everything here may wait for a disk: for one thread, which is not the
 * loop's. A disk that refuses is told once, and again when it is over.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OUTPUT_STORE_H
#define SUPERVISOR_OUTPUT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/run.h"
#include "supervisor/output_shelf.h"

struct output_store;

/* Returns NULL when memory is short. */
struct output_store *output_store_new(void);

/* Closes all files. Accepts NULL. */
void output_store_free(struct output_store *s);

/* From now on a jobtype's files in dir are counted and removed by these. */
void output_store_know(struct output_store *s, const char *dir,
    const char *prefix, const struct output_limits *limits);

/*
 * Makes the file `name` in dir, which must be new, for what comes under this
 * id; `again`: goes on in it, if it is there. limits are for a shelf that is
 * not known yet.
 */
void output_store_open(struct output_store *s, uint64_t id, const char *dir,
    const char *prefix, const char *name, const struct output_limits *limits,
    bool again);

/* One line; missing: how many had to be left out before it. */
struct output_line {
	int64_t time; /* clock_wall() */
	enum run_stream stream;
	bool more; /* it goes on in the next */
	uint64_t missing;
	const char *bytes;
	size_t len;
};
void output_store_line(
    struct output_store *s, uint64_t id, const struct output_line *line);

/* likewise: missing at its end. */
void output_store_close(
    struct output_store *s, uint64_t id, int64_t time, uint64_t missing);

/* Removes what has become too old. */
void output_store_sweep(struct output_store *s);

#endif
