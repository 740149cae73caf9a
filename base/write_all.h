/*
 * write_all - every byte into a blocking descriptor.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_WRITE_ALL_H
#define BASE_WRITE_ALL_H

#include <stddef.h>

/*
 * Goes on after a part and after a signal. Returns 0, or a negative errno; how
 * much was written by then is not told.
 */
int write_all(int fd, const void *bytes, size_t len);

#endif
