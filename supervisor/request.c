/*
 * request - what is asked of handlers/run, from a handler's settings.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/request.h"

#include "base/buf.h"
#include "supervisor/confines.h"

/* Also once its file has been replaced; as cli/main knows it. */
static const char our_program[] = "/proc/self/exe";

void
request_limits(struct run_request *req, const struct handler *how)
{
	static const enum run_leftover policies[] = {
		[LEFTOVER_KILL] = RUN_LEFT_KILL,
		[LEFTOVER_WAIT] = RUN_LEFT_WAIT,
		[LEFTOVER_WARN] = RUN_LEFT_WARN,
	};

	req->message_max = (size_t)how->message_max;
	req->output_limit = how->output_limit;
	req->kill_at_limit = how->output_action == OUTPUT_KILL;
	req->leftover = policies[how->leftover];
	req->limits = confines_limits(&how->confine);
	/* The manager makes the group. */
	if (how->confine.isolate == ISOLATE_UNIT)
		req->cgroups = NULL;
}

void
request_start(struct run_request *req, const struct invocation *v,
    const struct handler *how)
{
	req->spawn = (struct spawn_request){ .path = v->path,
		.argv = v->argv,
		.env = v->env.entries,
		.workdir = v->workdir,
		.mask = v->mask,
		.feed = v->feed,
		.control = how->control,
		.confine = v->confine,
		.init =
		    how->confine.isolate != ISOLATE_NONE ? our_program : NULL,
		.scope = v->scope };
	req->input = v->feed ? buf_front(v->input) : NULL;
	req->input_len = v->feed ? buf_len(v->input) : 0;
}
