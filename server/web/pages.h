/*
 * pages - what each path answers.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WEB_PAGES_H
#define SERVER_WEB_PAGES_H

#include <stdbool.h>

#include "base/buf.h"

struct server;

struct page {
	unsigned status;
	const char *type;
	struct buf *body; /* the caller's, empty */
};

/* Whether a path is for everybody, without a password. */
bool page_is_public(const char *path);

/* Fills *p for a GET of this path, decoded and without its query. */
void page_make(const struct server *s, const char *path, struct page *p);

/* Fills *p with a line of text. */
void page_say(struct page *p, unsigned status, const char *text);

#endif
