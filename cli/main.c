/*
 * main - the table of faktotum's verbs.
 *
 * SPDX-License-Identifier: ISC
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cancel.h"
#include "cli/check.h"
#include "cli/dev.h"
#include "cli/drain.h"
#include "cli/job.h"
#include "cli/msg.h"
#include "cli/push.h"
#include "cli/queue.h"
#include "cli/quiet.h"
#include "cli/resume.h"
#include "cli/run.h"
#include "cli/run_once.h"
#include "cli/status.h"
#include "cli/tail.h"
#include "cli/top.h"
#include "cli/worker.h"
#include "handlers/pidspace.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "run", run_main, "fetch jobs and run their programs" },
	{ "dev", dev_main, "a server and a supervisor together" },
	{ "check", check_main, "find the mistakes in a configuration" },
	{ "push", push_main, "give jobs to the server" },
	{ "job", job_main, "end jobs on the server, see what came of them" },
	{ "queue", queue_main, "pause, resume, remove queues on the server" },
	{ "worker", worker_main, "let the server quiet or end its workers" },
	{ "run-once", run_once_main, "run one handler by hand" },
	{ "msg", msg_main, "from a handler: tell the supervisor something" },
	{ "status", status_main, "show the supervisor and its jobs" },
	{ "top", top_main, "the same again and again" },
	{ "tail", tail_main, "show what programs print" },
	{ "cancel", cancel_main, "end jobs" },
	{ "quiet", quiet_main, "let no more jobs be fetched" },
	{ "resume", resume_main, "let jobs be fetched again" },
	{ "drain", drain_main, "end the supervisor after its last job" },
};

enum { NVERBS = sizeof verbs / sizeof verbs[0], NAME_MAX_LEN = 32 };

static void
put_usage(FILE *out)
{
	fputs("Usage: faktotum VERB [OPTION...]\n"
	      "Runs your programs as background jobs.\n\n",
	    out);
	for (size_t i = 0; i < NVERBS; i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
	fputs("\n  --help     this text; faktotum VERB --help tells more\n"
	      "  --version  the version\n",
	    out);
}

/* Edits that turn a into b: letters added, removed, changed. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t change = corner + (a[i - 1] != b[j - 1]);
			size_t other =
			    1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

			corner = row[j];
			row[j] = change < other ? change : other;
		}
	}
	return row[len];
}

static int
no_such_verb(const char *name)
{
	const char *nearest = NULL;
	size_t best = 3;

	for (size_t i = 0; i < NVERBS && strlen(name) < NAME_MAX_LEN; i++) {
		size_t d = distance(name, verbs[i].name);

		if (d < best) {
			best = d;
			nearest = verbs[i].name;
		}
	}
	fprintf(stderr, "faktotum: there is no verb \"%s\"", name);
	if (nearest != NULL)
		fprintf(stderr, "; did you mean \"%s\"?", nearest);
	fputs("\n", stderr);
	return EX_USAGE;
}

/* So that no pipe or socket ever becomes somebody's standard stream. */
static void
open_streams(void)
{
	int fd;

	do
		/* NOLINTNEXTLINE(android-cloexec-open): it is for exec too */
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], PIDSPACE_INIT) == 0)
		return pidspace_keep();
	open_streams();
	signal(SIGPIPE, SIG_IGN);

	if (argc < 2) {
		put_usage(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		put_usage(stdout);
		return EX_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("faktotum %s\n", FAKTOTUM_VERSION);
		return EX_OK;
	}
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return no_such_verb(argv[1]);
}
