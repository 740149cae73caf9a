/*
 * run_output - what a run's program writes: read, counted, told.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/run_inside.h"

/* How many of len new bytes are within the limit; counts them all. */
static size_t
within_limit(struct run *r, size_t len)
{
	int64_t limit = r->req->output_limit;
	int64_t left = limit - r->written;

	r->written += (int64_t)len;
	if (limit == 0 || left >= (int64_t)len)
		return len;
	r->facts.output_cut = true;
	return left > 0 ? (size_t)left : 0;
}

static enum run_stream
stream_of(const struct outlet *o)
{
	const struct run *r = o->ctx;

	return (enum run_stream)(o - r->outlets);
}

/*
 * The reason holds even when the program ended before we read so far: else
 * speed would decide what becomes of the job.
 */
static size_t
take(struct outlet *o, const char *bytes, size_t len)
{
	struct run *r = o->ctx;

	if (stream_of(o) == RUN_CONTROL) {
		r->facts.spoke = true;
		return len;
	}
	size_t within = within_limit(r, len);

	if (stream_of(o) == RUN_STDERR)
		tail_add(r->tail, bytes, len);
	if (within < len && r->req->kill_at_limit)
		run_give_reason(r, RUN_OUTPUT_LIMIT);
	return within;
}

static void
line(struct outlet *o, const char *bytes, size_t len, bool more)
{
	const struct run *r = o->ctx;

	if (stream_of(o) == RUN_CONTROL)
		r->hooks->message(r->ctx, bytes, len, more);
	else
		r->hooks->line(r->ctx, stream_of(o), bytes, len, more);
}

/* What was within the limit has been told: now it is stopped. */
static void
turned(struct outlet *o)
{
	struct run *r = o->ctx;

	if (r->state == RUNNING && r->facts.output_cut && r->req->kill_at_limit)
		run_stop(r, RUN_OUTPUT_LIMIT, r->req->grace);
	run_finish_if_over(r);
}

const struct outlet_hooks run_outlet_hooks = { take, line, turned };

void
run_read(struct run *r)
{
	r->reading = true;
	for (size_t i = 0; i < RUN_STREAMS; i++)
		outlet_watch(&r->outlets[i]);
}

void
run_pull(struct run *r)
{
	for (size_t i = 0; i < RUN_STREAMS; i++) {
		outlet_pull(&r->outlets[i]);
		outlet_pull(&r->outlets[i]);
	}
}

bool
run_is_silent(const struct run *r)
{
	for (size_t i = 0; i < RUN_STREAMS; i++)
		if (outlet_is_open(&r->outlets[i]))
			return false;
	return true;
}
