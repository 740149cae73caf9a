/*
 * journald - the log's way to the system's journal, with all its fields.
 *
 * A line becomes an entry at once and goes into a bounded bag, from which a
 * thread sends it: a journal that is slow, stopped or being restarted delays
 * nobody. What the bag does not take is counted, and the count is told when
 * there is room again. What programs print may fill three quarters of the
 * bag, so that the ends of their jobs still find room.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOURNALD_H
#define SUPERVISOR_JOURNALD_H

#include <stddef.h>

#include "base/err.h"

/* Where the journal listens; this variable names another place. */
#define JOURNALD_PATH     "/run/systemd/journal/socket"
#define JOURNALD_VARIABLE "FAKTOTUM_JOURNAL_SOCKET"

enum { JOURNALD_BAG = 4 * 1024 * 1024 }; /* bytes of entries */

struct journald;

/*
 * Takes the journal's lines over from standard error, where a journal listens
 * at all; else they stay there, with the priority in front. To be called
 * while no other thread logs, as journald_close(). NULL with *e set when the
 * place is no place or memory is short; NULL and e->code 0 when there is no
 * journal.
 */
struct journald *journald_open(struct err *e);

/*
 * Before exec: waits a second at most for the journal to take what is there,
 * then sends no more. Returns how many lines are left. journald_go_on() when
 * we stay after all.
 */
size_t journald_hold(struct journald *j);
void journald_go_on(struct journald *j);

/* Waits likewise, and gives the lines back to standard error. Accepts NULL. */
void journald_close(struct journald *j);

#endif
