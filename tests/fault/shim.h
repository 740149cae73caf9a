/*
 * shim - what the fault rig can do to a program that it has started.
 *
 * A page of memory that the rig and the preloaded library share: the file
 * that the environment names in FAULTSHIM. All values are 64 bits in the
 * machine's order, and tests/support/shim.py has the same list. All zero: the
 * program sees the system as it is.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FAULT_SHIM_H
#define TESTS_FAULT_SHIM_H

#include <stdint.h>

struct shim_page {
	int64_t wall;         /* nanoseconds that CLOCK_REALTIME is ahead */
	int64_t mono;         /* likewise CLOCK_MONOTONIC */
	int64_t write_error;  /* an errno for writes to files below DATA */
	int64_t write_good;   /* writes that succeed before that */
	int64_t write_torn;   /* half of the write gets there all the same */
	int64_t sync_error;   /* an errno for syncs */
	int64_t sync_ms;      /* what a sync takes on top; milliseconds */
	int64_t sync_lies;    /* a sync says "done" and does nothing */
	int64_t undo;         /* remember what has not been synced */
	int64_t writes_met;   /* how many writes were refused so far */
	int64_t syncs_met;    /* likewise syncs, and those that lied or slept */
	int64_t clocks_asked; /* readings of a clock that was ahead */
	int64_t leak;         /* bytes that each reading of a clock leaks */
	int64_t interrupt;    /* by chance one call of so many is EINTR */
	int64_t interrupted;  /* how many were so far */
	int64_t small_pipes;  /* a pipe holds one page */
	int64_t pipes_made;   /* how many such there were so far */
};

#endif
