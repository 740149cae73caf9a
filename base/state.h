/*
 * state - values written one after the other, and read back by a successor.
 *
 * For a process that goes on as another program: each noun writes its own
 * fields and reads them back in the same order. Every value carries its kind,
 * so a reader that is out of step fails instead of taking one for another. A
 * failure stays: it is enough to ask once, at the end.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { STATE_FDS_MAX = 1 << 20 };

struct state_writer {
	struct buf *out; /* owned */
	int *fds;        /* that the successor must inherit; owned array */
	size_t nfds;
	bool failed; /* memory, or the ceiling */
};

/* max: bytes. Returns 0 or -ENOMEM; state_writer_clear() in either case. */
int state_writer_init(struct state_writer *w, size_t max);
void state_writer_clear(struct state_writer *w);

void state_put_int(struct state_writer *w, int64_t value);
void state_put_bytes(struct state_writer *w, const char *bytes, size_t len);
void state_put_text(struct state_writer *w, const char *text); /* or NULL */
void state_put_fd(struct state_writer *w, int fd);             /* or -1 */

/* Puts a front before all of it: magic, version, length, checksum. */
int state_seal(const struct state_writer *w, uint32_t version, struct buf *out);

struct state_reader {
	const char *at; /* borrowed */
	size_t left;
	bool failed; /* what was read since is 0, NULL and -1 */
};

/*
 * Returns 0, and r reads what state_seal() was given; -EINVAL when these bytes
 * are no whole state of this version.
 */
int state_open(
    struct state_reader *r, const char *bytes, size_t len, uint32_t version);

int64_t state_get_int(struct state_reader *r);
/* A value outside fails. */
int64_t state_get_within(struct state_reader *r, int64_t min, int64_t max);
const char *state_get_bytes(struct state_reader *r, size_t *len); /* borrowed */
char *state_get_text(struct state_reader *r); /* owned; NULL is a value too */
/* Owned; one that is not open fails. It is close-on-exec from here on. */
int state_get_fd(struct state_reader *r);

#endif
