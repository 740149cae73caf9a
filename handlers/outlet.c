/*
 * outlet - one stream that a program writes, drained and cut into lines.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/outlet.h"

#include <errno.h>
#include <unistd.h>

static void
emit_line(void *ctx, const char *bytes, size_t len, bool more)
{
	struct outlet *o = ctx;

	o->hooks->line(o, bytes, len, more);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct outlet *o = w->data;

	(void)loop;
	(void)events;
	outlet_pull(o);
	o->hooks->turned(o);
}

int
outlet_init(struct outlet *o, struct ev_loop *loop, size_t line_max,
    const struct outlet_hooks *hooks, void *ctx)
{
	o->hooks = hooks;
	o->ctx = ctx;
	o->loop = loop;
	o->fd = -1;
	ev_init(&o->readable, on_readable);
	o->readable.data = o;
	o->lines = lines_new(line_max, emit_line, o);
	return o->lines != NULL ? 0 : -ENOMEM;
}

void
outlet_clear(struct outlet *o)
{
	lines_free(o->lines);
	o->lines = NULL;
}

void
outlet_open(struct outlet *o, int fd)
{
	o->fd = fd;
}

void
outlet_watch(struct outlet *o)
{
	if (o->fd < 0 || ev_is_active(&o->readable))
		return;
	ev_io_set(&o->readable, o->fd, EV_READ);
	ev_io_start(o->loop, &o->readable);
}

bool
outlet_is_open(const struct outlet *o)
{
	return o->fd >= 0;
}

void
outlet_pull(struct outlet *o)
{
	char bytes[OUTLET_TURN_MAX];
	ssize_t n = o->fd < 0 ? 0 : read(o->fd, bytes, sizeof bytes);

	if (n > 0)
		lines_add(o->lines, bytes, o->hooks->take(o, bytes, (size_t)n));
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		outlet_close(o);
}

void
outlet_close(struct outlet *o)
{
	if (o->fd < 0)
		return;
	ev_io_stop(o->loop, &o->readable);
	close(o->fd);
	o->fd = -1;
	lines_end(o->lines);
}

void
outlet_save(const struct outlet *o, struct state_writer *w)
{
	state_put_fd(w, o->fd);
	lines_save(o->lines, w);
}

void
outlet_load(struct outlet *o, struct state_reader *r)
{
	int fd = state_get_fd(r);

	lines_load(o->lines, r);
	if (fd >= 0)
		outlet_open(o, fd);
}
