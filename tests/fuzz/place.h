/*
 * place - a directory for what a target writes, and nobody who hears of it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_PLACE_H
#define TESTS_FUZZ_PLACE_H

#include <ftw.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/fuzz/must.h"

enum { PLACE_MAX = 256 };

/*
 * Below $TMPDIR; else on a memory's file system where there is one: nobody
 * cuts the power here.
 */
static void
place_make(char dir[PLACE_MAX], const char *name)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp == NULL)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(dir, PLACE_MAX, "%.200s/%s.XXXXXX", tmp, name);
	must(mkdtemp(dir) != NULL);
}

static int
place_drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
place_clear(const char *dir)
{
	must(nftw(dir, place_drop, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static bool
place_no_log(void *ctx, const struct log_event *ev)
{
	(void)ctx;
	(void)ev;
	return true;
}

/* What is said is made, and goes nowhere. */
static void
place_be_quiet(void)
{
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	log_divert(place_no_log, NULL);
}

/* For settings: there is no environment, and mistakes are the target's. */
static const char *
place_no_variable(const char *name)
{
	(void)name;
	return NULL;
}

static void
place_mistake(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

/* Where a sanitizer is at hand it looks for what nobody holds any more. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

#define must_not_leak()                                                        \
	must(__lsan_do_recoverable_leak_check == NULL ||                       \
	    __lsan_do_recoverable_leak_check() == 0)

#endif
