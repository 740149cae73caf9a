/*
 * output_shelf - the files of one jobtype in a directory, and which may stay.
 *
 * Looks into the directory, which may take its time: not for the loop.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OUTPUT_SHELF_H
#define SUPERVISOR_OUTPUT_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in the settings; 0: no limit. */
struct output_limits {
	int64_t keep;      /* ns */
	int64_t max_files; /* never 0 */
	int64_t max_size;  /* bytes of one file; never 0 */
	int64_t max_total; /* bytes of all */
};

struct output_shelf {
	const char *dir;    /* borrowed, as the next */
	const char *prefix; /* of the names of its files */
	struct output_limits limits;
	int64_t files; /* at the last sweep and since, as the next */
	int64_t bytes;
	bool (*in_use)(void *ctx, const char *name); /* never removed */
	void *ctx;
};

/*
 * Opens a directory, if only we and root may write there. Returns a
 * descriptor; close it. -EPERM when others may, or another negative errno.
 */
int output_shelf_open(const char *dir);

/*
 * Removes what is too old at `now` (clock_wall()), and when there is too much,
 * the oldest, and a tenth more than need be, so that it lasts. Counts anew,
 * with `coming` files that will be made next. Returns 0 or a negative errno.
 */
int output_shelf_sweep(struct output_shelf *s, int64_t now, int64_t coming);

#endif
