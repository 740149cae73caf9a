/*
 * import - a stock server's jobs, out of its Redis and into an empty store.
 *
 * Everything is read once, checked, and written in one transaction with a mark
 * that names the source. It is kept only when every element was read as a job
 * or set aside, when Redis still holds what it held at the beginning, and when
 * the store counts what was read.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_IMPORT_IMPORT_H
#define SERVER_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stdio.h>

struct import_request {
	const char *source;   /* as on the command line */
	const char *data;     /* our data directory */
	const char *password; /* Redis's; NULL: none */
	const char *skip_bad; /* a file for what is no job; NULL: then fail */
	bool merge;           /* into a store that is not empty */
	bool force;           /* though Redis has other clients */
};

/*
 * Prints the table on out and what is wrong on err. Returns the exit status:
 * EX_OK, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_CANTCREAT, EX_IOERR,
 * EX_TEMPFAIL, EX_SOFTWARE, EX_OSERR or EX_USAGE. INT and TERM end the program
 * with 130, as if it had not begun.
 */
int import_run(const struct import_request *q, FILE *out, FILE *err);

#endif
