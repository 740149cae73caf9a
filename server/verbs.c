/*
 * verbs - a verb is a row: its name, its function, what it takes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/verbs.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/server_settings.h"
#include "server/exit_status.h"
#include "server/import/import.h"
#include "server/store/store.h"

struct request {
	const char *verb;
	char *data;       /* owned */
	const char *file; /* what follows the options; NULL: nothing does */
	const char *skip_bad;
	bool merge;
	bool force;
};

struct verb {
	const char *name;
	int (*run)(const struct request *q);
	const char *takes; /* after the options: "FILE"; NULL: nothing */
	bool imports;      /* has its options */
	const char *usage;
	const char *tail; /* of usage, behind the options that all have */
};

/* ---- the data directory ---------------------------------------------------- */

static const char *
environment(const char *name)
{
	return getenv(name);
}

static void
tell(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

/* From the configuration, as the server would. Owned; NULL with *status. */
static char *
configured_data(const char *config, int *status)
{
	if (config != NULL && access(config, R_OK) < 0) {
		fprintf(stderr, "%s: %s\n", config, strerror(errno));
		*status = EX_NOINPUT;
		return NULL;
	}
	struct server_settings *s =
	    server_settings_load(config, environment, tell, NULL);
	if (s == NULL) {
		*status = EX_CONFIG;
		return NULL;
	}
	char *data = strdup(s->data);
	server_settings_free(s);
	if (data == NULL)
		*status = EX_OSERR;
	return data;
}

static int
exit_status(int code)
{
	switch (code) {
	case ENOENT:
		return EX_NOINPUT;
	case EEXIST:
		return EX_CANTCREAT;
	case EINTR:
		return 130;
	default:
		return exit_status_of_store(code);
	}
}

static int
failed(const struct request *q, const struct err *e)
{
	fprintf(stderr, "faktotum-server %s: %s\n", q->verb, e->text);
	return exit_status(e->code);
}

/* ---- the verbs ---------------------------------------------------------------- */

static void
on_problem(void *ctx, const char *text)
{
	(void)ctx;
	printf("%s\n", text);
}

static int
check(const struct request *q)
{
	struct store_facts facts;
	struct err e = { 0 };

	if (store_examine(q->data, on_problem, NULL, &facts, &e) < 0) {
		(void)fflush(stdout);
		return failed(q, &e);
	}
	printf("%s is whole: %" PRId64 " jobs, %" PRId64
	       " bytes, schema %" PRId64 "\n",
	    q->data, facts.jobs, facts.bytes, facts.schema);
	return EX_OK;
}

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static bool
is_interrupted(void)
{
	return interrupted != 0;
}

static int
backup(const struct request *q)
{
	const struct sigaction act = { .sa_handler = on_signal };
	struct store_facts facts;
	struct err e = { 0 };

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	if (store_backup(q->data, q->file, is_interrupted, &facts, &e) < 0)
		return failed(q, &e);
	printf("%s is whole: %" PRId64 " jobs, %" PRId64 " bytes\n", q->file,
	    facts.jobs, facts.bytes);
	return EX_OK;
}

static int
import(const struct request *q)
{
	const char *password = getenv("REDIS_PASSWORD");
	const struct import_request r = {
		.source = q->file,
		.data = q->data,
		.password =
		    password != NULL && password[0] != '\0' ? password : NULL,
		.skip_bad = q->skip_bad,
		.merge = q->merge,
		.force = q->force,
	};
	int status = import_run(&r, stdout, stderr);

	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static const char exit_statuses[] =
    "\n"
    "Exit status: 0 all is well; 64 wrong usage; 66 there is no data; 73 the\n"
    "file exists or cannot be made; 74 the data is damaged or cannot be read;\n"
    "78 wrong settings.\n";

static const struct verb verbs[] = {
	{ "backup", backup, "FILE", false,
	    "Usage: faktotum-server backup [OPTION]... FILE\n"
	    "Copies what is on disk at this moment into a new file, while a "
	    "server runs\n"
	    "or without one. The copy is compact, its every page is checked, "
	    "and it is\n"
	    "synced before it gets its name. A file that exists is never "
	    "touched.\n",
	    exit_statuses },
	{ "check", check, NULL, false,
	    "Usage: faktotum-server check [OPTION]...\n"
	    "Reads every page and every row of the data, while a server runs "
	    "or without\n"
	    "one, and tells what is wrong. Changes nothing.\n",
	    exit_statuses },
	{ "import", import, "SOURCE", true,
	    "Usage: faktotum-server import [OPTION]... SOURCE\n"
	    "Brings the jobs of a stock Faktory server, 1.9 or 1.10, into an "
	    "empty data\n"
	    "directory that no server uses. SOURCE is the stock server's "
	    "storage directory,\n"
	    "in which redis.sock is, or the socket, or HOST:PORT of its "
	    "Redis. That Redis\n"
	    "must run, and the stock server must not. Nothing is written to "
	    "it.\n"
	    "\n"
	    "Queues with their order and pauses, scheduled jobs, retries, dead "
	    "jobs and the\n"
	    "counters come as they are; a job that a worker holds stays "
	    "reserved for that\n"
	    "worker until its time is over. All of it is kept or nothing: a "
	    "run that is\n"
	    "killed can be repeated. A store that has been filled is refused "
	    "the next time.\n",
	    "      --skip-bad FILE write what cannot be read as a job to the "
	    "new FILE, a line\n"
	    "                      of JSON each, and import the rest; without "
	    "it, such things\n"
	    "                      are told and nothing is imported\n"
	    "      --merge         add to a store that is not empty\n"
	    "      --force         though Redis has other clients, which may "
	    "be the stock\n"
	    "                      server\n"
	    "\n"
	    "REDIS_PASSWORD, when set, is the password of that Redis.\n"
	    "\n"
	    "Exit status: 0 all is here; 64 wrong usage; 65 something is no "
	    "job, nothing was\n"
	    "imported; 66 there is no such socket; 69 Redis does not answer; "
	    "70 the counts do\n"
	    "not agree; 73 the store is not empty, was filled before or "
	    "cannot be made, or\n"
	    "FILE exists; 74 the store cannot be used; 75 not now: a server "
	    "has the store, or\n"
	    "Redis has other clients, changes, or is still loading; 78 wrong "
	    "settings;\n"
	    "130 interrupted.\n" },
};

static const char options_usage[] =
    "\n"
    "  -c, --config FILE   the server's settings: they say where the data is\n"
    "      --data DIR      where the data is (default /var/lib/faktotum)\n"
    "  -h, --help          show this\n";

static const struct verb *
find(const char *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].name, word) == 0)
			return &verbs[i];
	return NULL;
}

bool
verb_is(const char *word)
{
	return find(word) != NULL;
}

static int
misused(const struct verb *v, const char *what)
{
	fprintf(stderr, "faktotum-server %s: %s; see --help\n", v->name, what);
	return EX_USAGE;
}

enum { OPT_SKIP_BAD = 256, OPT_MERGE, OPT_FORCE };

/* Returns -1 to go on, else the exit status. */
static int
read_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "data", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "skip-bad", required_argument, NULL, OPT_SKIP_BAD },
		{ "merge", no_argument, NULL, OPT_MERGE },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ NULL, 0, NULL, 0 },
	};
	const char *config = NULL, *data = NULL;
	int c, status = EX_OSERR;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c >= OPT_SKIP_BAD && !v->imports)
			return misused(v, "unknown option");
		switch (c) {
		case OPT_SKIP_BAD:
			q->skip_bad = optarg;
			break;
		case OPT_MERGE:
			q->merge = true;
			break;
		case OPT_FORCE:
			q->force = true;
			break;
		case 'c':
			config = optarg;
			break;
		case 'd':
			data = optarg;
			break;
		case 'h':
			printf("%s%s%s", v->usage, options_usage, v->tail);
			return EX_OK;
		default:
			return misused(v, "unknown option");
		}
	}
	if (argc - optind != (v->takes != NULL ? 1 : 0)) {
		char what[64] = "a word too many";

		if (v->takes != NULL)
			snprintf(
			    what, sizeof what, "one %s is wanted", v->takes);
		return misused(v, what);
	}
	q->file = argv[optind];
	q->data =
	    data != NULL ? strdup(data) : configured_data(config, &status);
	return q->data != NULL ? -1 : status;
}

int
verb_run(int argc, char **argv)
{
	const struct verb *v = find(argv[0]);
	struct request q = { .verb = argv[0] };
	int status = read_options(v, argc, argv, &q);

	if (status < 0)
		status = v->run(&q);
	free(q.data);
	return status;
}
