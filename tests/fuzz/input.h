/*
 * input - a row of bytes that is read as orders, and words to choose from.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stdint.h>

struct input {
	const uint8_t *at, *end;
	bool garble; /* one byte of the next command is another one */
	uint8_t where, what;
};

#define ONE_OF(list, n) ((list)[(n) % (sizeof(list) / sizeof((list)[0]))])

/* Values of a job's members, and members that take one. */
static const char *const values[] = { "null", "1", "-1", "\"a\"", "[]", "{}",
	"25", "0", "true", "1e300", "18446744073709551616", "[1,[2,{\"a\":3}]]",
	"\"2100-01-01T00:00:00Z\"", "{\"backoff\":{\"base\":2,\"max\":60}}",
	"{\"backoff\":5}", "\"\\u0000\\ud83d\\ude00\"" };

static const char *const members[] = { "custom", "reserve_for", "at", "retry",
	"backtrace", "created_at", "enqueued_at", "failure", "priority",
	"queue", "args", "jobtype" };

/* 0 behind the end. */
static uint8_t
next(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

#endif
