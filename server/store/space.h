/*
 * space - pages that hold nothing any more, given back some at a time.
 *
 * What leaves the database leaves free pages, which what comes uses again. A
 * backlog of millions that was worked off leaves more than that is good for:
 * then the last pages are moved to where there is room, and the file becomes
 * shorter with the next checkpoint.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_SPACE_H
#define SERVER_STORE_SPACE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SPACE_STEP = 256,  /* pages at a time: what a client may have to wait */
	SPACE_FROM = 4096, /* free ones, and a quarter of all: it begins */
	SPACE_TO = 1024,   /* and leaves so many */
};

struct space {
	bool possible; /* files made before this was thought of keep theirs */
	bool wanted;   /* space_step() has something to do */
	int64_t used;  /* pages that hold something, when it was last looked */
};

void space_init(struct space *s, sqlite3 *db);

/* Looks whether there is so much. Cheap; after a checkpoint. */
void space_look(struct space *s, sqlite3 *db);

/* One transaction. Returns a result code; then nothing has changed. */
int space_step(struct space *s, sqlite3 *db);

#endif
