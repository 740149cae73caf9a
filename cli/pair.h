/*
 * pair - a server and the supervisor that works from it, as two children.
 *
 * The supervisor is started once the server is ready and stopped before it.
 * When one of them ends by itself the other is stopped too.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_PAIR_H
#define CLI_PAIR_H

struct pair_plan {
	char *const *server; /* argv; server[0] is found as execvp(3) does */
	const char
	    *port_file; /* the server writes its port there once it is ready */
	char *program;  /* ours: run as the supervisor */
	char *config;   /* its configuration */
	const char *host; /* where the server listens */
};

/*
 * Runs both until SIGINT, SIGTERM or SIGHUP, or until one of them ends; each
 * further signal makes the supervisor hurry. Says on standard error where the
 * server is, and what ended by itself. Returns the exit status: 0 after a
 * signal, else that of the child that ended, EX_SOFTWARE when that says
 * nothing. The caller has no other children.
 */
int pair_run(const struct pair_plan *plan);

#endif
