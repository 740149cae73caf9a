/*
 * tail - the last bytes of a stream.
 *
 * Memory follows what was seen, up to the ceiling: most programs say little.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_TAIL_H
#define HANDLERS_TAIL_H

#include <stddef.h>

#include "base/state.h"

struct tail;

/* max > 0: how many bytes to keep. Returns NULL when memory is short. */
struct tail *tail_new(size_t max);

/* Accepts NULL. */
void tail_free(struct tail *t);

/* Never fails: when memory is short, fewer bytes are kept than could be. */
void tail_add(struct tail *t, const char *bytes, size_t len);

/*
 * What is kept, oldest byte first, and in *len how much. Borrowed: valid until
 * the next call for t. Not NULL, even when nothing was added.
 */
const char *tail_bytes(struct tail *t, size_t *len);

void tail_save(struct tail *t, struct state_writer *w);
void tail_load(struct tail *t, struct state_reader *r);

#endif
