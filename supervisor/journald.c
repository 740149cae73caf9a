/*
 * journald - the log's way to the system's journal, with all its fields.
 *
 * The protocol is spoken here and not by sd_journal_sendv(3): that one waits
 * for a stopped journal for ever, and with it the end of the process.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journald.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/courier.h"
#include "supervisor/journald_entry.h"
#include "supervisor/journald_socket.h"

enum {
	ENTRY_MAX = JOURNALD_BAG / 2,
	ROOM_MS = 100, /* how long one attempt waits for room */
};

static const int64_t patience = CLOCK_NS_PER_S;

struct journald {
	atomic_bool gone; /* nothing is taken any more */
	struct courier *courier;
	struct journald_socket socket; /* of its thread, as the next */
	int64_t told;                  /* clock_mono() */
};

/* On the courier's thread, as the next. */
static bool
deliver(void *ctx, const char *bytes, size_t len)
{
	struct journald *j = ctx;
	int r = journald_socket_send(&j->socket, bytes, len, ROOM_MS);

	if (r < 0 && r != -EAGAIN)
		log_lost(1);
	return r != -EAGAIN;
}

/* It goes on: all is through, or some of it and more keeps coming. */
static void
on_delivered(void *ctx, size_t left)
{
	struct journald *j = ctx;
	int64_t now = clock_mono();

	if (left > 0 && now - j->told < CLOCK_NS_PER_S)
		return;
	j->told = now;
	log_tell_losses();
}

static const struct courier_hooks courier_hooks = { deliver, on_delivered };

static bool
is_printed(const struct log_event *ev)
{
	for (size_t i = 0; i < ev->ntags; i++)
		if (strcmp(ev->tags[i].key, "stream") == 0)
			return true;
	return false;
}

/* A log_sink. */
static bool
take(void *ctx, const struct log_event *ev)
{
	struct journald *j = ctx;

	if (j->gone)
		return false;
	struct buf *entry = buf_new(ENTRY_MAX);
	bool taken = entry != NULL && journald_entry_put(entry, ev) == 0 &&
	    courier_take(j->courier, buf_front(entry), buf_len(entry),
		is_printed(ev) ? JOURNALD_BAG / 4 : 0);

	buf_free(entry);
	return taken;
}

struct journald *
journald_open(struct err *e)
{
	const char *told = getenv(JOURNALD_VARIABLE);
	const char *path = told != NULL ? told : JOURNALD_PATH;
	struct journald *j;

	*e = (struct err){ .code = 0 };
	if (access(path, F_OK) < 0 && told == NULL)
		return NULL;
	j = calloc(1, sizeof *j);
	if (j == NULL ||
	    (j->courier = courier_new(JOURNALD_BAG, &courier_hooks, j)) ==
		NULL) {
		free(j);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (journald_socket_init(&j->socket, path) < 0) {
		courier_close(j->courier, 0);
		free(j);
		err_set(e, ENAMETOOLONG,
		    "%s: %s: no socket can be at so long a path",
		    JOURNALD_VARIABLE, path);
		return NULL;
	}
	j->told = clock_mono();
	log_divert(take, j);
	return j;
}

size_t
journald_hold(struct journald *j)
{
	return courier_hold(j->courier, patience);
}

void
journald_go_on(struct journald *j)
{
	courier_go_on(j->courier);
}

void
journald_close(struct journald *j)
{
	if (j == NULL)
		return;
	/* Its thread may be telling losses: first it ends, then the sink. */
	j->gone = true;
	if (!courier_close(j->courier, patience))
		return; /* it goes on using both */
	log_divert(NULL, NULL);
	journald_socket_close(&j->socket);
	free(j);
}
