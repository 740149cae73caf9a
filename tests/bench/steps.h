/*
 * steps - pieces of a job's way, run N times for tests/bench/callgrind.
 *
 * Each program is called `PROGRAM NAME N`, and prints its names without. A
 * step that fails ends the program: counting what did not work says nothing.
 * $STEPS_DEARER per cent more than N are run: a slow-down to be found.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_BENCH_STEPS_H
#define TESTS_BENCH_STEPS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct step {
	const char *name;
	void (*run)(long n);
};

static inline void
must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "steps: %s\n", what);
	exit(1);
}

static inline int
steps_main(const struct step *steps, size_t count, int argc, char **argv)
{
	const char *more = getenv("STEPS_DEARER");

	for (size_t i = 0; i < count; i++) {
		if (argc < 2)
			puts(steps[i].name);
		if (argc == 3 && strcmp(argv[1], steps[i].name) == 0) {
			long n = strtol(argv[2], NULL, 10);

			steps[i].run(n + n * (more ? atol(more) : 0) / 100);
			return 0;
		}
	}
	return argc < 2 ? 0 : 1;
}

#endif
