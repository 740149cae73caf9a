/*
 * reader - what everyone who decodes a file needs: its name, the environment
 * and the list of mistakes.
 *
 * Decoding goes on after a mistake, so that a person hears of all of them at
 * once. They are collected here and told in the order of the file.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/document.h"
#include "config/expand.h"

enum { READER_MISTAKES_MAX = 1000, READER_QUOTED_MAX = 80 };

struct mistake;

struct reader {
	const char *file;   /* borrowed */
	char *const *files; /* by mark.file, borrowed; NULL: only `file` */
	const char *(*lookup)(const char *name); /* the environment */
	bool muted; /* what is read now was read before: no second complaint */
	struct mistake *mistakes; /* owned: reader_finish() */
	size_t kept;
	size_t count;
};

/* Notes a mistake: "file:line:column: " and the text, told by reader_finish(). */
void reader_complain(struct reader *r, struct mark at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void reader_no_memory(struct reader *r);

/* Notes a mistake of a file that already says where it is. */
void reader_note(struct reader *r, unsigned file, const char *text);

/* The file that a mark belongs to. Borrowed. */
const char *reader_file(const struct reader *r, struct mark at);

/*
 * A scalar with its variables expanded. name and expected are for the
 * message. Owned: free(). NULL after a complaint: n is no scalar, says
 * nothing (null), or names an unknown variable.
 */
char *reader_text(struct reader *r, const struct node *n, const char *name,
    const char *expected);

/* As reader_text() for text that template_parse() will read. */
char *reader_template_text(struct reader *r, const struct node *n,
    const char *name, const char *expected);

/* Complains and returns false when n is not of this kind. */
bool reader_wants(struct reader *r, const struct node *n, enum node_kind kind,
    const char *name, const char *expected);

/* Text in quotes, long text cut: for messages. */
const char *reader_quote(const char *text, char out[READER_QUOTED_MAX]);

/*
 * Tells the mistakes, sorted, and forgets them. Returns how many there were.
 * tell may be NULL.
 */
size_t reader_finish(
    struct reader *r, void (*tell)(void *ctx, const char *message), void *ctx);

#endif
