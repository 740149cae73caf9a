/*
 * msg_line - a message for descriptor 3, made of the words of a command line.
 *
 * Whatever this makes, handlers/message reads.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_MSG_LINE_H
#define CLI_MSG_LINE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { MSG_LINE_MAX = 1024 * 1024 }; /* the highest message_max */

/*
 * Appends one line, its end included, from "progress", "40", "text" and so
 * on. Returns 0; -EINVAL with *e set when the words make no message; or as
 * buf_append().
 */
int
msg_line_put(struct buf *out, char *const *words, size_t nwords, struct err *e);

#endif
