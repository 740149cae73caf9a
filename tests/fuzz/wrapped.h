/*
 * wrapped - functions that a target puts in the place of the programs' own.
 *
 * The linker does it (--wrap, in the Makefile). So a target keeps the world
 * away from the code that it runs, and is given one mistake on purpose, which
 * $FAKTOTUM_BROKEN names, to see that it would be found.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_WRAPPED_H
#define TESTS_FUZZ_WRAPPED_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The program's own, and what is called in its place. */
#define WRAPPED(type, name, ...)                                               \
	type __real_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__)

static bool
is_broken(const char *how)
{
	static const char *broken;
	static bool looked;

	if (!looked)
		broken = getenv("FAKTOTUM_BROKEN");
	looked = true;
	return broken != NULL && strcmp(broken, how) == 0;
}

#endif
