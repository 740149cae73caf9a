/*
 * run_carry - a run given to the program that takes our place.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handlers/run_inside.h"

void
run_save(const struct run *r, struct state_writer *w)
{
	state_put_int(w, r->state);
	state_put_int(w, r->pid);
	state_put_fd(w, r->pidfd);
	state_put_fd(w, r->in);
	state_put_bytes(w, r->input, r->in >= 0 ? r->input_len : 0);
	state_put_int(w, r->due);
	state_put_int(w, r->deadline);
	state_put_int(w, r->until);
	state_put_int(w, r->pause);
	state_put_int(w, r->began);
	state_put_int(w, r->written);
	state_put_int(w, r->facts.reason);
	state_put_int(w, r->facts.killed);
	state_put_int(w, r->facts.output_cut);
	state_put_int(w, r->facts.spoke);
	state_put_int(w, (int64_t)r->facts.left);
	state_put_int(w, r->facts.elapsed);
	state_put_int(w, r->facts.status);
	state_put_int(w, r->facts.survived);
	state_put_int(w, r->facts.out_of_memory);
	for (size_t i = 0; i < RUN_STREAMS; i++)
		outlet_save(&r->outlets[i], w);
	tail_save(r->tail, w);
	cgroup_save(r->tree.leaf, w);
	pidspace_save(&r->tree.space, w);
}

/* All but the descriptors that are watched. */
static void
load_fields(struct run *r, struct state_reader *from)
{
	size_t len;

	r->state = (enum run_state)state_get_within(from, RUNNING, BURYING);
	r->pid = (pid_t)state_get_within(from, 1, INT32_MAX);
	r->pidfd = state_get_fd(from);
	r->in = state_get_fd(from);
	const char *input = state_get_bytes(from, &len);
	r->carried = malloc(len + 1);
	if (r->carried == NULL || r->pidfd < 0)
		from->failed = true;
	else if (len > 0)
		memcpy(r->carried, input, len);
	r->input = r->carried;
	r->input_len = len;
	r->due = state_get_int(from);
	r->deadline = state_get_int(from);
	r->until = state_get_int(from);
	r->pause = state_get_within(from, 0, INT64_MAX);
	r->began = state_get_int(from);
	r->written = state_get_int(from);
	r->facts.started = true;
	r->facts.reason =
	    (enum run_reason)state_get_within(from, RUN_BY_ITSELF, RUN_LOST);
	r->facts.killed = state_get_within(from, 0, 1) != 0;
	r->facts.output_cut = state_get_within(from, 0, 1) != 0;
	r->facts.spoke = state_get_within(from, 0, 1) != 0;
	r->facts.left = (size_t)state_get_within(from, 0, INT32_MAX);
	r->facts.elapsed = state_get_int(from);
	r->facts.status = (int)state_get_within(from, 0, INT32_MAX);
	r->facts.survived = state_get_within(from, 0, 1) != 0;
	r->facts.out_of_memory = state_get_within(from, 0, 1) != 0;
	for (size_t i = 0; i < RUN_STREAMS; i++)
		outlet_load(&r->outlets[i], from);
	tail_load(r->tail, from);
	r->tree.leaf = cgroup_load(r->req->cgroups, from);
	pidspace_load(&r->tree.space, from);
	if (r->state == BURYING && r->tree.space.init == 0)
		from->failed = true;
}

struct run *
run_load(struct ev_loop *loop, struct state_reader *from,
    const struct run_request *req, const struct run_hooks *hooks, void *ctx)
{
	struct run *r = run_new(loop, req);

	if (r == NULL)
		return NULL;
	r->req = req;
	r->hooks = hooks;
	r->ctx = ctx;
	load_fields(r, from);
	if (from->failed) {
		for (size_t i = 0; i < RUN_STREAMS; i++)
			outlet_close(&r->outlets[i]);
		if (r->pidfd >= 0)
			close(r->pidfd);
		if (r->in >= 0)
			close(r->in);
		run_free(r);
		return NULL;
	}
	if (r->state < BURYING)
		tree_init(&r->tree, req->kin, r->pid, req->id);
	if (r->state < LINGERING || r->state == BURYING) {
		ev_io_set(&r->ended,
		    r->state == BURYING ? r->tree.space.fd : r->pidfd, EV_READ);
		ev_io_start(loop, &r->ended);
	}
	run_read(r);
	if (r->state != KILLED)
		run_set_timer(r, r->state == RUNNING ? r->deadline : r->due);
	if (r->in >= 0) {
		ev_io_set(&r->writable, r->in, EV_WRITE);
		ev_io_start(loop, &r->writable);
	}
	return r;
}
