/*
 * invocation - a job and its handler turned into argv, environment and stdin.
 *
 * No process, no clock, no directory is touched here: the same words give the
 * same invocation, for `run`, and for `run-once --explain`. Data that does
 * not fit fails the dispatch (errtype BadArgument) rather than running the
 * program with something else. docs/handlers.md, "Arguments".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_INVOCATION_H
#define SUPERVISOR_INVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/settings.h"
#include "protocol/job.h"
#include "handlers/confine.h"
#include "supervisor/environment.h"

/* All borrowed; what is made refers to job's bytes and to nothing else. */
struct invocation_request {
	const struct handler *handler;
	const struct job *job;
	const struct environment *base; /* from environment_base() */
	const char *dispatch_id;        /* unique per execution */
	const char *tmpdir;             /* the private directory, absolute */
	int64_t deadline;               /* clock_wall(), ns */
	int64_t timeout;                /* from now to the deadline, ns */
	const char *(*lookup)(const char *name); /* for env_pass */
};

/* The fields of a spawn_request and the bytes for stdin. */
struct invocation {
	const char *path; /* the program; borrowed from the handler */
	char **argv;      /* owned, as the next: invocation_clear() */
	struct environment env;
	const char *workdir; /* borrowed from the handler or the request */
	mode_t mask;
	bool feed;                   /* false: stdin is /dev/null */
	struct buf *input;           /* NULL without feed */
	struct confine *confine;     /* NULL: nothing is asked for */
	struct scope_request *scope; /* likewise: no unit */
};

/*
 * Fills *v. Returns 0; -EINVAL with *e set: BadArgument, the place and the
 * reason, never the value; -ENOMEM. On failure there is nothing to clear.
 */
int invocation_make(
    struct invocation *v, const struct invocation_request *q, struct err *e);
void invocation_clear(struct invocation *v);

/* The errtype of a dispatch that invocation_make() refused. */
#define INVOCATION_ERRTYPE "BadArgument"

/* 1 for the first execution of a job. */
int64_t job_attempt(const struct job *j);

/* How often it may be executed in all; at least 1. */
int64_t job_max_attempts(const struct job *j);

#endif
