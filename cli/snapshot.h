/*
 * snapshot - what a supervisor says of itself and its jobs at one moment.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/call_options.h"

/* Zeroed: nothing. */
struct snapshot {
	char *text;             /* owned; what the rest points into */
	struct json supervisor; /* an object */
	struct json *jobs;      /* objects, the oldest job first; owned array */
	size_t njobs;
	size_t left_out; /* jobs that the answer had no room for */
};

/* Returns the exit status; what is wrong has been told. snapshot_clear(). */
int snapshot_take(const struct call_options *o, struct snapshot *s);
void snapshot_clear(struct snapshot *s);

/* As one JSON document and a line end, with nothing that a terminal obeys. */
void snapshot_put_json(const struct snapshot *s, FILE *out);

/* For people. Lines are cut to `columns`, and there are at most `rows`; 0: no
 * limit. Returns as buf_append(). */
int snapshot_put_table(
    const struct snapshot *s, struct buf *out, size_t columns, size_t rows);

/* A checked value as it is, but for what a terminal would obey. */
void snapshot_put_plain(const struct json *value, FILE *out);

#endif
