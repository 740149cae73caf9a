/*
 * output_files - what each program prints, on its way into a file of its own.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/courier.h"
#include "supervisor/output_name.h"
#include "supervisor/output_store.h"

/*
 * Lines leave a quarter of the bag to what opens and closes files, and that
 * which opens leaves half: a file that was opened can always be closed.
 */
enum {
	PARCEL_MAX = 64 * 1024,
	SPARE_FOR_LINES = OUTPUT_FILES_BAG / 4,
	SPARE_FOR_OPENING = OUTPUT_FILES_BAG / 2,
};

static const int64_t patience = CLOCK_NS_PER_S;
static const double sweep_period = 60.;

enum kind { KNOW, OPEN, LINE, CLOSE, SWEEP };

/* What a parcel begins with; behind it what its kind needs. */
struct head {
	enum kind kind;
	uint64_t id;
	bool again;
	struct output_line line;     /* bytes: behind the head */
	struct output_limits limits; /* of KNOW and OPEN */
};

struct output_files {
	struct courier *courier;
	struct output_store *store; /* of its thread */
	struct buf *parcel;
	uint64_t last_id;
	struct ev_loop *loop;
	ev_timer sweep;
};

/* ---- The thread. ---------------------------------------------------------- */

static bool
deliver(void *ctx, const char *bytes, size_t len)
{
	struct output_files *o = ctx;
	struct head h;

	memcpy(&h, bytes, sizeof h);
	bytes += sizeof h;
	len -= sizeof h;
	const char *dir = bytes, *prefix = NULL, *name = NULL;
	if (h.kind == KNOW || h.kind == OPEN) {
		prefix = dir + strlen(dir) + 1;
		name = prefix + strlen(prefix) + 1;
	}
	switch (h.kind) {
	case KNOW:
		output_store_know(o->store, dir, prefix, &h.limits);
		break;
	case OPEN:
		output_store_open(
		    o->store, h.id, dir, prefix, name, &h.limits, h.again);
		break;
	case LINE:
		h.line.bytes = bytes;
		h.line.len = len;
		output_store_line(o->store, h.id, &h.line);
		break;
	case CLOSE:
		output_store_close(o->store, h.id, h.line.time, h.line.missing);
		break;
	case SWEEP:
		output_store_sweep(o->store);
		break;
	}
	return true;
}

static const struct courier_hooks courier_hooks = { .deliver = deliver };

/* ---- The loop. ------------------------------------------------------------ */

static bool
send_parcel(struct output_files *o, const struct head *h, const char *bytes,
    size_t len, size_t spare)
{
	buf_clear(o->parcel);
	return buf_append(o->parcel, h, sizeof *h) == 0 &&
	    buf_append(o->parcel, bytes, len) == 0 &&
	    courier_take(
		o->courier, buf_front(o->parcel), buf_len(o->parcel), spare);
}

static void
on_sweep(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct output_files *o = w->data;
	struct head h;

	(void)loop;
	(void)revents;
	memset(&h, 0, sizeof h);
	h.kind = SWEEP;
	/* A bag that is so full has other sorrows; there is a next time. */
	(void)send_parcel(o, &h, "", 0, SPARE_FOR_OPENING);
}

struct output_files *
output_files_new(struct ev_loop *loop)
{
	struct output_files *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->loop = loop;
	ev_timer_init(&o->sweep, on_sweep, sweep_period, sweep_period);
	o->sweep.data = o;
	o->courier = courier_new(OUTPUT_FILES_BAG, &courier_hooks, o);
	o->store = output_store_new();
	o->parcel = buf_new(PARCEL_MAX);
	if (o->courier != NULL && o->store != NULL && o->parcel != NULL)
		return o;
	output_files_close(o);
	return NULL;
}

void
output_files_close(struct output_files *o)
{
	if (o == NULL)
		return;
	ev_timer_stop(o->loop, &o->sweep);
	if (!courier_close(o->courier, patience))
		return; /* its thread waits for a disk, and keeps all this */
	output_store_free(o->store);
	buf_free(o->parcel);
	free(o);
}

/* Three texts, one behind the other. */
static int
put_place(struct buf *b, const char *dir, const char *prefix, const char *name)
{
	int r = buf_append(b, dir, strlen(dir) + 1);

	if (r == 0)
		r = buf_append(b, prefix, strlen(prefix) + 1);
	return r < 0 ? r : buf_append(b, name, strlen(name) + 1);
}

static bool
send_place(struct output_files *o, const struct head *h, const char *dir,
    const char *prefix, const char *name)
{
	struct buf *place = buf_new(PARCEL_MAX);
	bool sent = place != NULL && put_place(place, dir, prefix, name) == 0 &&
	    send_parcel(
		o, h, buf_front(place), buf_len(place), SPARE_FOR_OPENING);

	buf_free(place);
	return sent;
}

static struct output_limits
limits_of(const struct handler *how)
{
	return (struct output_limits){ .keep = how->output.keep,
		.max_files = how->output.max_files,
		.max_size = how->output.max_size,
		.max_total = how->output.max_total };
}

static bool
make_known(struct output_files *o, const struct handler *how)
{
	char prefix[OUTPUT_NAME_BYTES];
	struct head h;

	memset(&h, 0, sizeof h);
	h.kind = KNOW;
	h.limits = limits_of(how);
	output_name_prefix(prefix, how->jobtype);
	return send_place(o, &h, how->output.dir, prefix, "");
}

void
output_files_know(struct output_files *o, const struct settings *settings)
{
	for (size_t i = 0; i < settings->nhandlers; i++) {
		if (settings->handlers[i].output.dir == NULL)
			continue;
		(void)make_known(o, &settings->handlers[i]);
		if (!ev_is_active(&o->sweep))
			ev_timer_start(o->loop, &o->sweep);
	}
}

size_t
output_files_hold(struct output_files *o)
{
	return courier_hold(o->courier, patience);
}

void
output_files_go_on(struct output_files *o)
{
	courier_go_on(o->courier);
}

void
output_file_begin(struct output_file *f, struct output_files *of,
    const struct handler *how, const struct job_log *job, bool again)
{
	char prefix[OUTPUT_NAME_BYTES], name[OUTPUT_NAME_BYTES];
	struct head h;

	*f = (struct output_file){ .of = NULL };
	if (of == NULL || how->output.dir == NULL)
		return;
	memset(&h, 0, sizeof h);
	h.kind = OPEN;
	h.id = ++of->last_id;
	h.again = again;
	h.limits = limits_of(how);
	output_name_prefix(prefix, how->jobtype);
	output_name(name, how->jobtype, job->jid, job->dispatch);
	if (!send_place(of, &h, how->output.dir, prefix, name)) {
		job_log_say(job, LOG_LEVEL_WARNING, NULL,
		    "its output is not kept in a file: the disk is too slow");
		return;
	}
	f->of = of;
	f->id = h.id;
}

void
output_file_line(struct output_file *f, const struct job_log *job,
    enum run_stream stream, const char *bytes, size_t len, bool more)
{
	struct head h;

	if (f->of == NULL)
		return;
	memset(&h, 0, sizeof h);
	h.kind = LINE;
	h.id = f->id;
	h.line = (struct output_line){ .time = clock_wall(),
		.stream = stream,
		.more = more,
		.missing = f->missing };
	if (send_parcel(f->of, &h, bytes, len, SPARE_FOR_LINES)) {
		f->missing = 0;
		return;
	}
	f->missing++;
	if (f->told)
		return;
	f->told = true;
	job_log_say(job, LOG_LEVEL_WARNING, NULL,
	    "lines are missing in the file of its output: the disk is too "
	    "slow");
}

void
output_file_end(struct output_file *f)
{
	struct head h;

	if (f->of == NULL)
		return;
	memset(&h, 0, sizeof h);
	h.kind = CLOSE;
	h.id = f->id;
	h.line.time = clock_wall();
	h.line.missing = f->missing;
	(void)send_parcel(f->of, &h, "", 0, 0);
	f->of = NULL;
}
