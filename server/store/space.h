/*
 * space - pages that hold nothing any more, given back some at a time; and what
 * is left on the file system.
 *
 * What leaves the database leaves free pages, which what comes uses again. A
 * backlog of millions that was worked off leaves more than that is good for:
 * then the last pages are moved to where there is room, and the file becomes
 * shorter with the next checkpoint.
 *
 * A file system that jobs have filled to its end could not be worked off: to
 * note that a job has ended takes room, too, in the log, and to empty the log
 * what is in it must fit into the database. So some is kept back from jobs,
 * and the log is emptied while it still fits. What jobs may take beside it is
 * told to spare.h.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_SPACE_H
#define SERVER_STORE_SPACE_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SPACE_STEP = 256,  /* pages at a time: what a client may have to wait */
	SPACE_FROM = 4096, /* free ones, and a quarter of all: it begins */
	SPACE_TO = 1024,   /* and leaves so many */
};

/* Kept back, in bytes: several of the largest batches; of a file system that
 * is small a quarter. */
#define SPACE_KEPT       (INT64_C(16) << 20)
#define SPACE_KEPT_SHARE 4
/* With less beside it than this part of it even small jobs are refused: it is
 * short before they are refused one by one for their size (server/room). */
#define SPACE_TRIFLE_SHARE 16
/* Below so many times that it is looked at more closely. */
#define SPACE_NEAR 8

struct space {
	bool possible; /* files made before this was thought of keep theirs */
	bool wanted;   /* space_step() has something to do */
	bool stepping; /* what is committed just now is its */
	int64_t used;  /* pages that hold something, when it was last looked */
	int64_t free;  /* pages that hold nothing, likewise */
	int64_t left;  /* bytes of the file system; INT64_MAX: nobody knows */
	/* For any thread: */
	atomic_bool short_of;     /* less than is kept back */
	_Atomic int64_t spare;    /* bytes beside what is kept back */
	_Atomic uint64_t commits; /* so far, but for those of space_step() */
	_Atomic uint64_t seen;    /* of them, when spare was found out */
};

/* s has to stay where it is as long as db is open. */
void space_init(struct space *s, sqlite3 *db);

/* Looks whether there is so much. Cheap; after a checkpoint. */
void space_look(struct space *s, sqlite3 *db);

/*
 * Looks what is left, beside `pending` bytes that the log has for the
 * database; free pages are room, too. It is short when that is hardly more than
 * what is kept back, and until it is twice as much. A system call, which may hang with
 * its disk. To be called after each commit but those of space_step().
 */
void space_look_around(struct space *s, sqlite3 *db, int64_t pending);

/* One transaction. Returns a result code; then nothing has changed. */
int space_step(struct space *s, sqlite3 *db);

#endif
