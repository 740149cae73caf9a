/*
 * spare - what the data's file system takes beside what is kept back, told by
 * the store's thread to the loop.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/spare.h"

#include <stdatomic.h>

#include "server/store/store.h"

/* SQLite's file format, 1.6, with pages of 4096 bytes. */
enum {
	PAGE = 4096,
	BESIDE = 256,      /* a row beside its payload, and the longest names */
	IN_LEAF = 4061,    /* of a row; a longer one has pages of its own, */
	STAYS = 489,       /* of which so much at least stays */
	IN_OVERFLOW = 4092 /* and each takes so much */
};

static _Atomic(int64_t) left = INT64_MAX;
static _Atomic(uint64_t) commits, seen;

size_t
store_bytes_of(size_t job)
{
	size_t row = job + BESIDE, pages = 0;

	if (row > IN_LEAF) {
		pages = (row - STAYS) / IN_OVERFLOW;
		row -= pages * IN_OVERFLOW;
		if (row > IN_LEAF) {
			row = STAYS;
			pages++;
		}
	}
	/* A leaf is not filled by few large rows. */
	if (row > PAGE / 2 - PAGE / 64)
		row = PAGE;
	else if (row > PAGE / 4)
		row = PAGE / 2;
	return pages * PAGE + row;
}

void
spare_reset(void)
{
	atomic_store(&left, INT64_MAX);
	atomic_store(&commits, 0);
	atomic_store(&seen, 0);
}

void
spare_commit(void)
{
	atomic_fetch_add(&commits, 1);
}

void
spare_tell(int64_t bytes)
{
	atomic_store(&left, bytes);
	atomic_store(&seen, atomic_load(&commits));
}

int64_t
store_spare_bytes(void)
{
	return atomic_load(&left);
}

uint64_t
store_commits(void)
{
	return atomic_load(&commits);
}

uint64_t
store_commits_seen(void)
{
	return atomic_load(&seen);
}
