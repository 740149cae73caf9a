/*
 * timestamp - RFC 3339 text and the moment it names.
 *
 * Moments are nanoseconds since 1970-01-01T00:00:00Z, which covers the years
 * 1678 to 2262. Text outside that range is refused rather than wrapped.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

/* "2026-11-23T21:56:35.867837850Z" and its NUL fit. */
enum { TIMESTAMP_MAX = 36 };

/*
 * Reads a date-time of RFC 3339 section 5.6: 'T' between date and time, a
 * zone ("Z" or an offset), up to nine digits of fraction. 'T' and 'Z' may be
 * lower case. A leap second (":60") counts as the first moment after it.
 * Returns 0, -EINVAL for other text, or -ERANGE outside the years above.
 */
int timestamp_parse(const char *text, size_t len, int64_t *ns);

/*
 * Writes UTC with 'Z', trailing zeros of the fraction trimmed, and a NUL.
 * Returns the length without the NUL.
 */
size_t timestamp_format(int64_t ns, char out[TIMESTAMP_MAX]);

#endif
