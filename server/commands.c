/*
 * commands - find the row, check phase and shape, call the function.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/commands.h"

#include <stdlib.h>

#include "server/parts.h"

enum shape {
	NOTHING, /* what follows the verb is ignored, as Faktory does */
	JSON,    /* one JSON document: the rest of the line */
	WORDS,   /* names separated by single spaces; at least one */
};

struct command {
	const char *verb;
	enum shape takes;
	command_fn *run;
	bool streams;     /* may wait for the disk together with others */
	const char *bare; /* the answer to the verb alone; NULL: it may be */
};

static const struct command table[] = {
	{ "PUSH", JSON, cmd_push, true, "PUSH takes one job as JSON" },
	{ "PUSHB", JSON, cmd_pushb, true, "PUSHB takes a JSON array of jobs" },
	{ "FETCH", WORDS, cmd_fetch, false,
	    "must call fetch with at least one queue" },
	{ "FETCHB", WORDS, cmd_fetchb, false,
	    "FETCHB takes a number and at least one queue" },
	{ "ACK", JSON, cmd_ack, true, "ACK takes {\"jid\":\"…\"}" },
	{ "FAIL", JSON, cmd_fail, true, "FAIL takes {\"jid\":\"…\", …}" },
	{ "RELEASE", JSON, cmd_release, true, "RELEASE takes {\"jid\":\"…\"}" },
	{ "HELD", JSON, cmd_held, false, "HELD takes {\"jids\":[…]}" },
	{ "CANCEL", JSON, cmd_cancel, true, "CANCEL takes {\"jid\":\"…\"}" },
	{ "RESULT", JSON, cmd_result, true, "RESULT takes {\"jid\":\"…\"}" },
	{ "BEAT", JSON, cmd_beat, true, "BEAT takes {\"wid\":\"…\", …}" },
	{ "INFO", NOTHING, cmd_info, false, NULL },
	{ "FLUSH", NOTHING, cmd_flush, false, NULL },
	{ "MUTATE", JSON, cmd_mutate, false, "invalid format" },
	{ "QUEUE", WORDS, cmd_queue, false,
	    "QUEUE takes PAUSE, RESUME, REMOVE or LATENCY and names" },
	{ "WORKER", WORDS, cmd_worker, true,
	    "WORKER takes QUIET or TERMINATE, and {\"wid\":\"…\"}, "
	    "{\"label\":\"…\"} or {\"all\":true}" },
	{ "JOBTYPES", NOTHING, cmd_jobtypes, false, NULL },
	{ "TRACK", NOTHING, cmd_track, false, NULL },
	{ "BATCH", NOTHING, cmd_batch, false, NULL },
	{ "END", NOTHING, cmd_end, false, NULL },
};

static const struct command *
find(const struct command_line *line)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (command_is(line, table[i].verb))
			return &table[i];
	return NULL;
}

bool
commands_streams(const struct command_line *line)
{
	const struct command *row = find(line);

	return row != NULL && row->streams;
}

void
commands_run(struct conn *c, const struct command_line *line)
{
	const struct command *row;

	if (c->state == CONN_GREETED) {
		/* Anything but HELLO ends the connection without a word. */
		if (command_is(line, "HELLO") && line->arg != NULL)
			cmd_hello(c, line->arg, line->arg_len);
		else
			conn_close(c);
		return;
	}
	row = find(line);
	if (row == NULL)
		conn_error(c, "unknown command %.*s",
		    (int)(line->verb_len < 100 ? line->verb_len : 100),
		    line->verb);
	else if (row->bare != NULL && line->arg == NULL)
		conn_error(c, "%s", row->bare);
	else
		row->run(c, line->arg, line->arg_len);
}

void
command_done(void *ctx, int result, const struct err *why)
{
	struct pending *p = ctx;
	struct conn *c = conn_resume(p);

	if (c != NULL && result == 0)
		conn_ok(c);
	else if (c != NULL)
		conn_error(c, "%s", why->text);
	free(p);
}
