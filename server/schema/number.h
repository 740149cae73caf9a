/*
 * number - a JSON number by its digits: compared, divided, never rounded.
 *
 * 9007199254740993 differs from 9007199254740992, 1.0 from 1 does not, and
 * 0.3 is three times 0.1. Nothing is converted, so no number is too large.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SCHEMA_NUMBER_H
#define SERVER_SCHEMA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* Exponents beyond these count as these. */
#define NUMBER_EXPONENT_MAX INT64_C(1000000000000000)

enum { NUMBER_DIVISOR_DIGITS = 18 };

/* The value is 0.ddd times ten to the magnitude; no zero at either end. */
struct number {
	const char *digits; /* borrowed; a '.' may lie between */
	int64_t count;      /* of digits; 0: the number is zero */
	int64_t magnitude;
	bool negative;
};

/* token is a checked JSON_NUMBER and outlives the result. */
struct number number_read(const struct json *token);

/* Below, equal, above: -1, 0, 1. */
int number_compare(const struct number *a, const struct number *b);

/* Whether it has no fraction: 1.0 and 1e3 have none. */
bool number_is_whole(const struct number *n);

/* As a whole number from 0 to 10^18 - 1; -ERANGE for any other. */
int number_count(const struct number *n, uint64_t *out);

/* by is above zero and has at most NUMBER_DIVISOR_DIGITS digits. */
bool number_is_multiple(const struct number *n, const struct number *by);

/* Equal numbers have equal hashes. */
uint64_t number_hash(const struct number *n);

#endif
