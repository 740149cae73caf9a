/*
 * must - a property that a fuzz target promises: abort when it does not hold.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define must(holds)                                                            \
	((holds)                                                               \
		? (void)0                                                      \
		: (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds), \
		      abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
