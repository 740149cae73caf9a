/*
 * channel - the bytes of one conversation, both ways, on a loop.
 *
 * What is to be sent is written once for all that was put in one turn of the
 * loop; what comes is read and told of. The watchers always match the need.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CHANNEL_H
#define SUPERVISOR_CHANNEL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "protocol/stream.h"

/* Either may close the channel, and open it again later. */
struct channel_hooks {
	/* There is more in `in`. */
	void (*came)(void *ctx);
	/* It is of no more use, and must be closed. why is borrowed; NULL: the
	 * other end has closed it. */
	void (*lost)(void *ctx, const char *why);
};

struct channel {
	struct buf *in;  /* what has come; whoever reads drops it */
	struct buf *out; /* what is to be sent; behind it channel_send() */
	/* Counts channel_close(): has this conversation ended? */
	unsigned closings;

	struct stream *stream; /* while it is open; owned */
	ev_io io;              /* active while it is open */
	ev_prepare flush; /* active while out has bytes the socket may take */
	bool full;        /* the socket takes no more of out for now */
	struct ev_loop *loop;
	const struct channel_hooks *hooks;
	void *ctx;
};

/*
 * Closed, with ceilings for both buffers, in bytes. loop, hooks and ctx are
 * borrowed; the channel may not be moved. Returns 0 or -ENOMEM, with nothing
 * to clear.
 */
int channel_init(struct channel *c, struct ev_loop *loop, size_t in_max,
    size_t out_max, const struct channel_hooks *hooks, void *ctx);

/* Closes it and gives the memory back. */
void channel_clear(struct channel *c);

/* Takes the stream, which has shaken hands. */
void channel_open(struct channel *c, struct stream *stream);

/* Forgets what is in both buffers. It may be closed already. */
void channel_close(struct channel *c);

/* What is in out leaves before the loop waits again. */
void channel_send(struct channel *c);

/* As much of out as leaves without waiting, now; nobody hears of a failure. */
void channel_send_last(struct channel *c);

#endif
