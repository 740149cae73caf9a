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
#include "server/store/store.h"

struct request {
	const char *verb;
	char *data;       /* owned */
	const char *file; /* what follows the options; NULL: nothing does */
};

struct verb {
	const char *name;
	int (*run)(const struct request *q);
	bool takes_file;
	const char *usage;
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
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOTDIR:
		return EX_CANTCREAT;
	case ENOMEM:
		return EX_OSERR;
	case EINTR:
		return 130;
	default:
		return EX_IOERR;
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

static const struct verb verbs[] = {
	{ "backup", backup, true,
	    "Usage: faktotum-server backup [OPTION]... FILE\n"
	    "Copies what is on disk at this moment into a new file, while a "
	    "server runs\n"
	    "or without one. The copy is compact, its every page is checked, "
	    "and it is\n"
	    "synced before it gets its name. A file that exists is never "
	    "touched.\n" },
	{ "check", check, false,
	    "Usage: faktotum-server check [OPTION]...\n"
	    "Reads every page and every row of the data, while a server runs "
	    "or without\n"
	    "one, and tells what is wrong. Changes nothing.\n" },
};

static const char options_usage[] =
    "\n"
    "  -c, --config FILE   the server's settings: they say where the data is\n"
    "      --data DIR      where the data is (default /var/lib/faktotum)\n"
    "  -h, --help          show this\n"
    "\n"
    "Exit status: 0 all is well; 64 wrong usage; 66 there is no data; 73 the\n"
    "file exists or cannot be made; 74 the data is damaged or cannot be read;\n"
    "78 wrong settings.\n";

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

/* Returns -1 to go on, else the exit status. */
static int
read_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "data", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config = NULL, *data = NULL;
	int c, status = EX_OSERR;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 'd':
			data = optarg;
			break;
		case 'h':
			printf("%s%s", v->usage, options_usage);
			return EX_OK;
		default:
			return misused(v, "unknown option");
		}
	}
	if (argc - optind != (v->takes_file ? 1 : 0))
		return misused(v,
		    v->takes_file ? "one FILE is wanted" : "a word too many");
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
