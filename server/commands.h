/*
 * commands - the verbs this server understands, one row each.
 *
 * The table is the documentation: phase and shape of argument are columns, so
 * that no verb can forget to check them.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_COMMANDS_H
#define SERVER_COMMANDS_H

#include "base/err.h"
#include "protocol/command.h"
#include "protocol/extension.h"
#include "server/conn.h"

/*
 * What the greeting names: docs/protocol.md, "Extensions"; and EXTENSION_RESULT
 * where results are kept.
 */
enum {
	COMMANDS_EXTENSIONS = EXTENSION_RELEASE | EXTENSION_CANCEL |
	    EXTENSION_FAIL_RETRY | EXTENSION_FETCHB | EXTENSION_HELD
};

/* Whether it may be served while commands before it wait for the disk. */
bool commands_streams(const struct command_line *line);

/* Serves one line: answers it, or leaves c waiting. */
void commands_run(struct conn *c, const struct command_line *line);

/*
 * The verbs' functions: arg is the rest of the line, borrowed during the
 * call; it ends in no NUL.
 */
typedef void command_fn(struct conn *c, const char *arg, size_t len);

command_fn cmd_hello, cmd_end;            /* cmd_hello.c */
command_fn cmd_push, cmd_pushb;           /* cmd_push.c */
command_fn cmd_fetch, cmd_ack, cmd_fail;  /* cmd_work.c */
command_fn cmd_fetchb, cmd_release;       /* cmd_work.c */
command_fn cmd_held;                      /* cmd_held.c */
command_fn cmd_result;                    /* cmd_result.c */
command_fn cmd_worker;                    /* cmd_worker.c */
command_fn cmd_cancel;                    /* cmd_cancel.c */
command_fn cmd_beat, cmd_info, cmd_flush; /* cmd_admin.c */
command_fn cmd_track, cmd_batch;          /* cmd_admin.c */
command_fn cmd_jobtypes;                  /* cmd_admin.c */
command_fn cmd_mutate;                    /* cmd_mutate.c */
command_fn cmd_queue;                     /* cmd_queue.c */

/*
 * A jobs_done for commands that are answered with +OK or an error: ctx is
 * their struct pending, from malloc(3), which it frees.
 */
void command_done(void *ctx, int result, const struct err *why);

/* Ends the FETCHes that wait of workers that are to have no more jobs. */
void command_end_fetches(struct server *s);

/* How fetches come back to their connection: cmd_work.c. */
extern const struct fetch_hooks command_fetch_hooks;

#endif
