/*
 * log_line - an event as a line of text, or of JSON.
 *
 * Foreign bytes stay within their event: control characters and bytes that
 * are not UTF-8 are escaped, a value that could be read as two is quoted.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

/* All append, and return as buf_append(). No line end is added. */

/* The time now: "2026-11-23T21:56:35.867Z"; or another, by clock_wall(). */
int log_line_time(struct buf *line);
int log_line_time_at(struct buf *line, int64_t ns);

/* The subject or the tags, two spaces, the message. */
int log_line_text(struct buf *line, const struct log_event *ev);

/* An object: time, level, subject, tags, fields, message. */
int log_line_json(struct buf *line, const struct log_event *ev);

/* Foreign bytes as a terminal may see them: "\x1b" for what it may not. */
int log_line_escape(struct buf *line, const char *bytes, size_t len);

#endif
