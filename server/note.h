/*
 * note - something about a worker, on its way to the disk or off it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_NOTE_H
#define SERVER_NOTE_H

#include <stdint.h>

#include "server/store/store.h"

/* What was written; borrowed during the call. */
struct note {
	enum store_note kind;
	const char *wid;
	const char *jid;
	int64_t value;
};

/*
 * Writes a note with the batch that is open; everything is copied. done, which
 * may be NULL, hears of it with 0 or a negative errno. 0 or -ENOMEM.
 */
typedef void note_done(
    void *ctx, int result, const struct err *why, const struct note *note);
int note_put(
    struct store *store, const struct note *note, note_done *done, void *ctx);

/*
 * Takes one off the disk; its value does not matter. Nobody waits for that:
 * what stays there is found again at the next start.
 */
void note_erase(struct store *store, const struct note *note);

#endif
