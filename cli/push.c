/*
 * push - the verb that gives jobs to the server.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/push.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/args.h"
#include "cli/bulk.h"
#include "cli/draft.h"
#include "cli/server_options.h"
#include "protocol/job.h"

enum { CUSTOM_MAX = 256 };

static const char usage[] =
    "usage: faktotum push JOBTYPE [ARG...] [OPTION...]\n"
    "       faktotum push - [OPTION...] < jobs.ndjson\n"
    "\n"
    "Pushes one job and prints its jid; or, with -, one job for each line of\n"
    "JSON on standard input, and prints how many.\n"
    "\n"
    "An ARG is a JSON value if it is a JSON number, true, false, null, object\n"
    "or array; every other ARG is a string. A line of JSON is sent as it is,\n"
    "with jid, queue, retry and created_at added where it has none.\n"
    "\n"
    "  --args JSON        all arguments as one JSON array, instead of ARGs\n"
    "  --strings          every ARG and every value of --custom is a string\n"
    "  --queue Q          queue (default: default)\n"
    "  --at MOMENT        not before, RFC 3339: 2026-11-23T21:56:35Z\n"
    "  --in DURATION      not before this long from now: 90s, 5m, 2h\n"
    "  --retry N          attempts after the first (default: 25); 0: a failed\n"
    "                     job is dropped; -1: it goes to the dead set at once\n"
    "  --reserve-for D    how long one attempt may take, 60s to 24h\n"
    "  --custom KEY=VALUE a member of the job's \"custom\"; may be repeated\n"
    "  --jid JID          at least 8 bytes (default: 24 random "
    "digits)\n" SERVER_OPTIONS_HELP "  --stdin            the same as -\n"
    "  --json             print the result as a JSON object\n"
    "  -h, --help         print this\n"
    "\n" SERVER_PASSWORD_HELP "\n"
    "With - only --queue, --retry and --reserve-for apply, to lines that do\n"
    "not say it themselves. A word after -- is never an option.\n"
    "\n"
    "exit status: 0 pushed; 64 wrong usage; 65 a job was refused; 66 standard\n"
    "input, a certificate or the credential cannot be read; 69 no server;\n"
    "75 not pushed, or nobody knows: try again; 77 wrong password\n";

struct request {
	struct draft draft;
	char *custom[CUSTOM_MAX];
	struct server_options server;
	bool bulk;
	bool json;
};

enum {
	OPT_ARGS = 256,
	OPT_STRINGS,
	OPT_QUEUE,
	OPT_AT,
	OPT_IN,
	OPT_RETRY,
	OPT_RESERVE,
	OPT_CUSTOM,
	OPT_JID,
	OPT_STDIN,
	OPT_JSON,
	OPT_HELP = 'h',
};

static const struct option options[] = {
	{ "args", required_argument, NULL, OPT_ARGS },
	{ "strings", no_argument, NULL, OPT_STRINGS },
	{ "queue", required_argument, NULL, OPT_QUEUE },
	{ "at", required_argument, NULL, OPT_AT },
	{ "in", required_argument, NULL, OPT_IN },
	{ "retry", required_argument, NULL, OPT_RETRY },
	{ "reserve-for", required_argument, NULL, OPT_RESERVE },
	{ "custom", required_argument, NULL, OPT_CUSTOM },
	{ "jid", required_argument, NULL, OPT_JID },
	SERVER_OPTION_ROWS,
	{ "stdin", no_argument, NULL, OPT_STDIN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int
take_moment(struct draft *d, const char *text, bool is_duration, struct err *e)
{
	int64_t ns = 0;
	int r = is_duration ? args_duration(text, &ns, e)
			    : args_moment(text, &ns, e);

	if (r < 0)
		return r;
	if (d->has_at)
		return err_set(e, EINVAL, "when is said twice");
	if (is_duration && __builtin_add_overflow(ns, d->now, &ns))
		return err_set(e, EINVAL, "\"%s\" is too long", text);
	d->at = ns;
	d->has_at = true;
	return 0;
}

static int
take_reserve(struct draft *d, const char *text, struct err *e)
{
	int64_t ns = 0;

	if (args_duration(text, &ns, e) < 0)
		return -e->code;
	int64_t seconds = ns / CLOCK_NS_PER_S;
	if (ns % CLOCK_NS_PER_S != 0 || seconds < JOB_RESERVE_MIN ||
	    seconds > JOB_RESERVE_MAX)
		return err_set(e, EINVAL, "%s is outside 60s..24h", text);
	d->reserve_for = seconds;
	return 0;
}

static int
take_custom(struct request *q, char *pair, struct err *e)
{
	if (q->draft.ncustom == CUSTOM_MAX)
		return err_set(e, EINVAL, "more than %d of them", CUSTOM_MAX);
	q->custom[q->draft.ncustom++] = pair;
	return 0;
}

static int
take_queue(struct draft *d, const char *name, struct err *e)
{
	if (!job_queue_name_ok(name, strlen(name)))
		return err_set(e, EINVAL,
		    "\"%s\" has more than letters, digits, '.', '_' and '-'",
		    name);
	d->queue = name;
	return 0;
}

/* One option with a value. */
static int
take_value(struct request *q, int option, char *value, struct err *e)
{
	struct draft *d = &q->draft;

	switch (option) {
	case OPT_AT:
	case OPT_IN:
		return take_moment(d, value, option == OPT_IN, e);
	case OPT_RETRY:
		return args_int(value, -1, INT32_MAX, &d->retry, e);
	case OPT_RESERVE:
		return take_reserve(d, value, e);
	case OPT_CUSTOM:
		return take_custom(q, value, e);
	case OPT_QUEUE:
		return take_queue(d, value, e);
	case OPT_ARGS:
		d->args = value;
		return 0;
	case OPT_JID:
		d->jid = value;
		return 0;
	default:
		(void)server_options_take(&q->server, option, value);
		return 0;
	}
}

static int
complain(const char *text)
{
	fprintf(stderr, "faktotum push: %s\n", text);
	fputs("faktotum push --help tells more\n", stderr);
	return EX_USAGE;
}

/* JOBTYPE and ARGs, or -. 0 or an exit status. */
static int
take_words(struct request *q, int argc, char **argv)
{
	struct draft *d = &q->draft;

	if (optind < argc && strcmp(argv[optind], "-") == 0) {
		q->bulk = true;
		optind++;
	}
	if (!q->bulk && optind < argc)
		d->jobtype = argv[optind++];
	d->words = argv + optind;
	d->nwords = (size_t)(argc - optind);

	if (!q->bulk && (d->jobtype == NULL || d->jobtype[0] == '\0'))
		return complain("which JOBTYPE?");
	if (server_options_mistake(&q->server) != NULL)
		return complain(server_options_mistake(&q->server));
	if (d->args != NULL && d->nwords > 0)
		return complain("--args stands instead of ARGs");
	if (q->bulk &&
	    (d->nwords > 0 || d->args != NULL || d->jid != NULL || d->has_at ||
		d->ncustom > 0 || d->strings))
		return complain("that does not go with jobs from standard "
				"input: only --queue, --retry, --reserve-for");
	return 0;
}

/* 0, or -1 with *status set. */
static int
take_line(struct request *q, int argc, char **argv, int *status)
{
	int option, index = 0;
	struct err e;

	while ((option = getopt_long(argc, argv, "h", options, &index)) != -1) {
		switch (option) {
		case OPT_HELP:
			fputs(usage, stdout);
			*status = EX_OK;
			return -1;
		case OPT_STRINGS:
			q->draft.strings = true;
			break;
		case OPT_STDIN:
			q->bulk = true;
			break;
		case OPT_JSON:
			q->json = true;
			break;
		case '?':
			fputs("faktotum push --help tells more\n", stderr);
			*status = EX_USAGE;
			return -1;
		default:
			if (take_value(q, option, optarg, &e) == 0)
				break;
			(void)err_wrap(&e, "--%s", options[index].name);
			*status = complain(e.text);
			return -1;
		}
	}
	*status = take_words(q, argc, argv);
	return *status == 0 ? 0 : -1;
}

static void
print_string(const char *text)
{
	struct buf *b = buf_new(SIZE_MAX / 2);

	if (b != NULL && json_put_string(b, text, strlen(text)) == 0)
		(void)fwrite(buf_front(b), 1, buf_len(b), stdout);
	buf_free(b);
}

/* The jobs are pushed by now, whatever becomes of the words about it. */
static void
finish(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		fprintf(stderr,
		    "faktotum push: pushed, but it cannot be printed: %s\n",
		    strerror(errno));
}

static int
push_one(const struct request *q, struct connection *c, const struct buf *job)
{
	struct resp reply;
	struct err e;

	if (connection_ask(
		c, "PUSH", buf_front(job), buf_len(job), &reply, &e) < 0) {
		fprintf(stderr,
		    "faktotum push: %s; whether it was pushed is not known\n",
		    e.text);
		return EX_TEMPFAIL;
	}
	if (reply.kind != RESP_SIMPLE) {
		fprintf(stderr, "faktotum push: %.*s\n",
		    (int)(reply.len > 1000 ? 1000 : reply.len),
		    reply.text != NULL ? reply.text : "no answer");
		return reply.kind == RESP_ERROR &&
			bulk_is_refusal(reply.text, reply.len)
		    ? EX_DATAERR
		    : EX_TEMPFAIL;
	}
	if (q->json) {
		fputs("{\"jid\":", stdout);
		print_string(q->draft.jid);
		fputs(",\"queue\":", stdout);
		print_string(q->draft.queue);
		puts("}");
	} else {
		puts(q->draft.jid);
	}
	finish();
	return EX_OK;
}

static int
push_many(const struct request *q, struct connection *c)
{
	struct bulk_result n;
	int r = bulk_push(c, STDIN_FILENO, &q->draft, &n);

	if (q->json)
		printf("{\"pushed\":%" PRId64 ",\"refused\":%" PRId64
		       ",\"postponed\":%" PRId64 ",\"complete\":%s}\n",
		    n.pushed, n.refused, n.postponed,
		    n.broken ? "false" : "true");
	else
		printf("%" PRId64 " pushed, %" PRId64 " refused, %" PRId64
		       " to try again%s\n",
		    n.pushed, n.refused, n.postponed,
		    n.broken ? "; the rest was not read" : "");
	finish();
	if (r == -EIO || r == -EISDIR || r == -EBADF)
		return EX_NOINPUT;
	if (n.refused > 0 || r == -ENOBUFS)
		return EX_DATAERR;
	return r < 0 || n.postponed > 0 ? EX_TEMPFAIL : EX_OK;
}

/* The job is made before the server is looked for: mistakes come first. */
static int
push(struct request *q)
{
	struct buf *job = buf_new(BULK_LINE_MAX);
	char jid[DRAFT_JID_HEX + 1];
	struct connection *c = NULL;
	struct err e;
	int status = EX_OSERR;

	if (job == NULL) {
		(void)err_set(&e, ENOMEM, "memory is short");
		goto fail;
	}
	if (!q->bulk && q->draft.jid == NULL) {
		int r = draft_jid(jid);

		if (r < 0) {
			(void)err_set(&e, -r, "no random bytes");
			goto fail;
		}
		q->draft.jid = jid;
	}
	if (!q->bulk && draft_put(job, &q->draft, &e) < 0) {
		status = e.code == EINVAL ? EX_DATAERR : EX_OSERR;
		goto fail;
	}
	c = server_options_reach(&q->server, &status);
	if (c != NULL)
		status = q->bulk ? push_many(q, c) : push_one(q, c, job);
	connection_close(c);
	buf_free(job);
	return status;

fail:
	fprintf(stderr, "faktotum push: %s\n", e.text);
	buf_free(job);
	return status;
}

int
push_main(int argc, char **argv)
{
	static char name[] = "faktotum push"; /* for getopt's messages */
	struct request *q = calloc(1, sizeof *q);
	int status;

	if (q == NULL) {
		perror("faktotum push");
		return EX_OSERR;
	}
	argv[0] = name;
	q->draft.custom = q->custom;
	q->server.verb = "push";
	q->draft.queue = "default";
	q->draft.retry = JOB_RETRY_DEFAULT;
	q->draft.now = clock_wall();
	if (take_line(q, argc, argv, &status) == 0)
		status = push(q);
	free(q);
	return status;
}
