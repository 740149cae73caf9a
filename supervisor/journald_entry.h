/*
 * journald_entry - a line of the log as an entry of the system's journal.
 *
 * The native protocol of systemd-journald: NAME=value and a line end, or for a
 * value with a line end or other bytes that are no text, NAME, a line end, the
 * length in eight bytes, the value, a line end.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOURNALD_ENTRY_H
#define SUPERVISOR_JOURNALD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/log.h"

/*
 * Appends one entry; returns as buf_append(). A line that a program printed
 * has the jobtype as its identifier and nothing in front of its words; one
 * that is ours is called faktotum and names its job in the message too, since
 * that is all that most views show.
 */
int journald_entry_put(struct buf *out, const struct log_event *ev);

/* Whether a tag of this name is one of ours, which nobody else may set. */
bool journald_entry_owns(const char *name, size_t len);

#endif
