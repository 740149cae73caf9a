/*
 * draft - a job on its way to being pushed.
 *
 * Made from the flags of a command line, or from a line of JSON in which
 * something may be missing. Either way what is sent says everything that a
 * server could otherwise decide for itself: jid, queue, retry, created_at.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_DRAFT_H
#define CLI_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { DRAFT_JID_HEX = 24 };

struct draft {
	const char *jid;     /* NULL: a fresh one is made */
	const char *jobtype; /* NULL: draft_complete() adds none */
	char *const *words;  /* of no use to draft_complete(), as the next */
	size_t nwords;
	const char *args;    /* JSON array instead of words; or NULL */
	bool strings;        /* every word is a string */
	char *const *custom; /* KEY=VALUE */
	size_t ncustom;
	const char *queue;
	int64_t retry;
	int64_t reserve_for; /* seconds; 0: not mentioned */
	bool has_at;
	int64_t at;
	int64_t now; /* created_at */
};

/* 96 random bits in hexadecimal, and a NUL. 0 or -errno of getrandom(2). */
int draft_jid(char out[DRAFT_JID_HEX + 1]);

/*
 * Appends the job as one line of JSON. Returns 0; -EINVAL with *e set when
 * something given cannot be part of a job; or as buf_append().
 */
int draft_put(struct buf *out, const struct draft *d, struct err *e);

/*
 * Appends a line of JSON, its bytes untouched except that jid, jobtype,
 * queue, retry, reserve_for and created_at are put before the last '}' where
 * they are absent or null and d has them. The result is checked as a server checks it.
 * On success *jid is the decoded jid, owned by the caller: free().
 * Returns 0; -EINVAL with *e set, -ENOMEM or -ENOBUFS; out is unchanged then.
 */
int draft_complete(struct buf *out, const char *line, size_t len,
    const struct draft *d, char **jid, struct err *e);

#endif
