/*
 * little_endian - numbers as bytes, the lowest first, on every machine.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_LITTLE_ENDIAN_H
#define BASE_LITTLE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

/* width: bytes, 1 to 8; what does not fit is cut. */
static inline void
le_store(char *to, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		to[i] = (char)(value >> (8 * i));
}

static inline uint64_t
le_load(const char *from, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)(unsigned char)from[i] << (8 * i);
	return value;
}

#endif
