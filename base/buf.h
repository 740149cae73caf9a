/*
 * buf - bytes waiting to be read or written, with a ceiling.
 *
 * One end of a connection appends what arrived; the other end looks at the
 * front and drops what it has understood. The ceiling is fixed at birth so
 * that a peer can make us wait but cannot make us grow without end. A buffer
 * that has become empty and large gives its memory back.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf;

/* max is the ceiling in bytes. Returns NULL when memory is short. */
struct buf *buf_new(size_t max);

/* Accepts NULL. */
void buf_free(struct buf *b);

/*
 * Copies bytes onto the end; buf_printf() formats them there, without the
 * terminating NUL. All return 0, -ENOBUFS past the ceiling, or -ENOMEM; b is
 * unchanged on failure.
 */
int buf_append(struct buf *b, const void *bytes, size_t len);
int buf_puts(struct buf *b, const char *text);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * For reading straight into the buffer: buf_room() makes at least `want`
 * bytes of room and returns where they begin, with *got (>= 1) telling how
 * many there are, fewer than wanted near the ceiling. NULL past the ceiling
 * or when memory is short. buf_filled() says how many of them now count.
 */
char *buf_room(struct buf *b, size_t want, size_t *got);
void buf_filled(struct buf *b, size_t n);

/* Unread bytes. Borrowed: valid until the next call that changes b. */
const char *buf_front(const struct buf *b);
size_t buf_len(const struct buf *b);

/* Drops n bytes from the front; n must not exceed buf_len(b). */
void buf_drop(struct buf *b, size_t n);

/* Keeps only the first n unread bytes; n must not exceed buf_len(b). */
void buf_cut(struct buf *b, size_t n);

/* Drops everything and keeps the memory for the next use. */
void buf_clear(struct buf *b);

#endif
