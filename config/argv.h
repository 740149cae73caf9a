/*
 * argv - the program of a job and its arguments, from exec: or from shell:
 * with args:.
 *
 * The only shell form is /bin/sh -c TEXT JOBTYPE ARGS...: the text is fixed,
 * data arrives as "$1", and nothing of a job is ever parsed by the shell.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_ARGV_H
#define CONFIG_ARGV_H

#include "config/reader.h"
#include "config/settings.h"

enum { ARGV_MAX = 1024 };

/* The settings, NULL where there is none. */
struct argv_nodes {
	const struct node *exec;
	const struct node *shell;
	const struct node *args;
	const struct node *wrap; /* a program in front of the program */
	bool whole_way; /* programs are checked with all that leads there */
};

/*
 * Fills h->program, h->argv, h->nargv, h->nwrap and h->argv_at, or complains.
 * prefix stands before the names in messages; h->jobtype and h->at must be
 * there.
 */
void argv_read(struct reader *r, const struct argv_nodes *nodes,
    const char *prefix, const char *path, struct handler *h);

#endif
