/*
 * log_write - lines to standard error, without ever waiting for its reader.
 *
 * For base/log.c alone. Standard error may be shared with other programs, so
 * it is left in blocking mode: a pipe is asked before each write, and never
 * given more at once than it must take.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_LOG_WRITE_H
#define BASE_LOG_WRITE_H

#include <stddef.h>

/*
 * Writes whole lines. `told` is the number of losses that they mention,
 * forgotten when they have been written; when not, they count as one more.
 */
void log_write(const char *lines, size_t len, unsigned long told);

/* Lines that could not even be made, or that another way out refused. */
void log_write_lost(unsigned long n);

/* All that were ever lost. */
unsigned long log_write_total(void);

/* Lines dropped and not yet told; log_write() forgets those that it told. */
unsigned long log_write_losses(void);

/* The same, for who tells them in another way: forgotten, or put back. */
unsigned long log_write_take_losses(void);
void log_write_put_losses(unsigned long n);

#endif
