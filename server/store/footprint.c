/*
 * footprint - what a job takes of the database.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/store.h"

/* SQLite's file format, 1.6, with pages of 4096 bytes. */
enum {
	PAGE = 4096,
	BESIDE = 256,      /* a row beside its payload, and the longest names */
	IN_LEAF = 4061,    /* of a row; a longer one has pages of its own, */
	STAYS = 489,       /* of which so much at least stays */
	IN_OVERFLOW = 4092 /* and each takes so much */
};

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
