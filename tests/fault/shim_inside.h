/*
 * shim_inside - what the parts of the shim share.
 *
 * shim.c has the page, clocks, pipes and signals, shim_files.c what happens to
 * files. These names are hidden: preloaded, a visible one would take the place
 * of the program's own of that name.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FAULT_SHIM_INSIDE_H
#define TESTS_FAULT_SHIM_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fault/shim.h"

#pragma GCC visibility push(hidden)

/* All zero until the constructor has run, and without FAULTSHIM. */
extern struct shim_page *shim_page;

/* Sets the function pointer at `where` to the library's own; aborts when there
 * is none. version NULL: whichever it has. */
void shim_find(void *where, const char *name, const char *version);

/* Aborts with errno: the rig must not take our trouble for the program's. */
_Noreturn void shim_give_up(const char *what);

/* A call that cannot wait cannot be interrupted either. */
bool shim_waits(int fd);

/* As if a signal had come, by chance: a fixed turn could meet the same call of
 * a loop each time. Then errno is EINTR. */
bool shim_interrupts(bool waiting);

/* Finds the library's writes and syncs, and what DATA is. */
void shim_files_begin(void);

#pragma GCC visibility pop

static inline int64_t
get(const int64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static inline void
count(int64_t *value)
{
	__atomic_add_fetch(value, 1, __ATOMIC_RELAXED);
}

#endif
