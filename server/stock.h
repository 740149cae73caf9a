/*
 * stock - what a stock Faktory server would have read, and what to write here.
 *
 * Its variables, files and flags are not read. Who has moved from one is told
 * so, line by line, instead of finding out later. No value is ever told.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STOCK_H
#define SERVER_STOCK_H

#include <stddef.h>

typedef void stock_tell(void *ctx, const char *text);

enum {
	STOCK_LINES_MAX = 40,        /* of one file that are told */
	STOCK_FILE_MAX = 256 * 1024, /* what is read of one */
	STOCK_TEXT_MAX = 512,
};

/* Variables, and the files below /etc/faktory and $HOME/.faktory. */
void stock_look(
    const char *(*lookup)(const char *name), stock_tell *tell, void *ctx);

/* The lines of one conf.d/NAME.toml; name is for the messages. */
void stock_read(const char *name, const char *text, size_t len,
    stock_tell *tell, void *ctx);

/* What to write instead of -b, -w, …; NULL: it has no such flag. */
const char *stock_flag(int letter);

#endif
