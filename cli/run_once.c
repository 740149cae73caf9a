/*
 * run_once - the verb that runs one job's program without any server.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/run_once.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/draft.h"
#include "cli/explain.h"
#include "cli/load.h"
#include "cli/once.h"
#include "config/settings.h"
#include "protocol/job.h"
#include "supervisor/environment.h"
#include "supervisor/invocation.h"
#include "supervisor/timeline.h"

enum { INPUT_MAX = 64 * 1024 * 1024, READ_CHUNK = 64 * 1024 };

static const char usage[] =
    "usage: faktotum run-once -c FILE JOBTYPE [--explain] < job.json\n"
    "\n"
    "Runs the program that FILE has for JOBTYPE, as `faktotum run` would, but\n"
    "without a server. Standard input is a whole job or only its args array;\n"
    "what it lacks (jid, jobtype, queue, retry) is made up, and no input is\n"
    "an empty array. What the program prints goes to standard error, then one\n"
    "JSON document with the outcome to standard output.\n"
    "\n"
    "  -c, --config FILE   the supervisor's configuration\n"
    "      --explain       print arguments, environment, input and limits,\n"
    "                      and run nothing\n"
    "  -h, --help          print this\n"
    "\n"
    "exit status: 0 done, 1 failed and would be retried, 75 later, 65 never\n"
    "again or no job on standard input; 64 wrong usage; 66 FILE or standard\n"
    "input cannot be read; 71 the system fails us; 78 FILE has mistakes\n";

struct request {
	const char *config;
	const char *jobtype;
	bool explain;
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "explain", no_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int
complain(const char *text)
{
	fprintf(stderr, "faktotum run-once: %s\n", text);
	fputs("faktotum run-once --help tells more\n", stderr);
	return EX_USAGE;
}

/* 0, or -1 with *status set. */
static int
take_line(struct request *q, int argc, char **argv, int *status)
{
	int option;

	*status = EX_OK;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			q->config = optarg;
			break;
		case 'e':
			q->explain = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		default:
			fputs("faktotum run-once --help tells more\n", stderr);
			*status = EX_USAGE;
			return -1;
		}
	}
	if (q->config == NULL)
		*status = complain("which configuration? -c FILE");
	else if (optind == argc)
		*status = complain("which JOBTYPE?");
	else if (optind + 1 < argc)
		*status = complain("there are words too many");
	else
		q->jobtype = argv[optind];
	return *status == EX_OK ? 0 : -1;
}

static int
read_input(struct buf *b, struct err *e)
{
	for (;;) {
		size_t room;
		char *at = buf_room(b, READ_CHUNK, &room);

		if (at == NULL)
			return err_set(
			    e, EFBIG, "more than %d bytes", INPUT_MAX);
		ssize_t n = read(STDIN_FILENO, at, room);
		if (n > 0)
			buf_filled(b, (size_t)n);
		else if (n == 0)
			return 0;
		else if (errno != EINTR)
			return err_set(e, errno, "%s", strerror(errno));
	}
}

/* The job that was meant: whole, or around an args array. */
static int
make_job(struct buf *job, struct buf *input, const char *jobtype, struct err *e)
{
	struct draft d = {
		.jobtype = jobtype,
		.queue = "default",
		.retry = JOB_RETRY_DEFAULT,
		.now = clock_wall(),
	};
	struct json value;
	char *jid = NULL;

	if (buf_len(input) == 0 && buf_puts(input, "[]") < 0)
		return err_set(e, ENOMEM, "memory is short");
	if (json_check(buf_front(input), buf_len(input), &value, NULL) == 0 &&
	    value.kind == JSON_ARRAY) {
		if (buf_putc(input, '\0') < 0)
			return err_set(e, ENOMEM, "memory is short");
		d.args = buf_front(input);
		return draft_put(job, &d, e);
	}
	int r =
	    draft_complete(job, buf_front(input), buf_len(input), &d, &jid, e);
	free(jid);
	return r;
}

static void
print_text(struct buf *b, const char *key, const char *bytes, size_t len)
{
	if (buf_printf(b, ",\"%s\":", key) == 0)
		(void)json_put_string(b, bytes, len);
}

static void
print_facts(struct buf *b, const struct run_facts *f)
{
	if (!f->started)
		return;
	if (WIFSIGNALED(f->status)) {
		char name[32];

		(void)snprintf(name, sizeof name, "SIG%s",
		    sigabbrev_np(WTERMSIG(f->status)));
		print_text(b, "signal", name, strlen(name));
	} else {
		(void)buf_printf(
		    b, ",\"exit_status\":%d", WEXITSTATUS(f->status));
	}
	(void)buf_printf(b,
	    ",\"duration_ms\":%" PRId64 ",\"max_rss_kb\":%ld"
	    ",\"killed\":%s,\"output_cut\":%s,\"leftover\":%s",
	    f->elapsed / CLOCK_NS_PER_MS, f->usage.ru_maxrss,
	    f->killed ? "true" : "false", f->output_cut ? "true" : "false",
	    f->left > 0 || f->held_open ? "true" : "false");
}

/* How far the program said it came, and the result that it gave. */
static void
print_talk(struct buf *b, const struct talk *t)
{
	if (t->progressed) {
		(void)buf_puts(b, ",\"progress\":{");
		if (t->percent >= 0)
			(void)buf_printf(b, "\"percent\":%g,", t->percent);
		(void)buf_puts(b, "\"desc\":");
		(void)json_put_string(b, t->desc, strlen(t->desc));
		(void)buf_putc(b, '}');
	}
	if (t->result != NULL)
		(void)buf_printf(b, ",\"result\":%s", t->result);
}

/* The jobs that would be pushed now. */
static void
print_followups(struct buf *b, const struct followups *then)
{
	size_t len;
	const char *jobs = followups_jobs(then, &len);

	if (len == 0)
		return;
	(void)buf_puts(b, ",\"push\":[");
	(void)buf_append(b, jobs, len);
	(void)buf_putc(b, ']');
}

/* What is told to standard output; a failed print is not the job's. */
static void
print_outcome(const struct job *job, const struct once_result *r)
{
	const struct verdict *v = &r->verdict;
	struct buf *b = buf_new(INPUT_MAX);

	if (b == NULL)
		return;
	(void)buf_printf(b, "{\"outcome\":\"%s\"", verdict_kind_name(v->kind));
	print_text(b, "jid", job->jid.bytes, job->jid.len);
	print_text(b, "jobtype", job->jobtype.bytes, job->jobtype.len);
	if (v->kind != VERDICT_DONE) {
		print_text(b, "errtype", v->errtype, strlen(v->errtype));
		print_text(b, "message", v->message, strlen(v->message));
		(void)buf_puts(b, ",\"backtrace\":[");
		for (size_t i = 0; i < v->nlines; i++) {
			(void)(i > 0 && buf_putc(b, ','));
			(void)json_put_string(
			    b, v->backtrace[i], strlen(v->backtrace[i]));
		}
		(void)buf_puts(b, "]");
	}
	print_talk(b, &r->talk);
	if (v->kind == VERDICT_DONE)
		print_followups(b, &r->talk.then);
	print_facts(b, &r->facts);
	(void)buf_puts(b, "}\n");
	(void)fwrite(buf_front(b), 1, buf_len(b), stdout);
	buf_free(b);
}

static int
exit_status(enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_DONE:
	case VERDICT_DISCARD:
		return EX_OK;
	case VERDICT_LATER:
		return EX_TEMPFAIL;
	case VERDICT_DEAD:
		return EX_DATAERR;
	case VERDICT_RETRY:
		break;
	}
	return EXIT_FAILURE;
}

static const char *
lookup(const char *name)
{
	return getenv(name);
}

/* BadArgument: the program is not run, as with a server. */
static int
tell_misfit(
    const struct handler *how, const struct job *job, const struct err *e)
{
	struct once_result r = { .verdict = { .kind = how->misfit_is_dead
					 ? VERDICT_DEAD
					 : VERDICT_RETRY } };

	(void)snprintf(r.verdict.errtype, sizeof r.verdict.errtype, "%s",
	    INVOCATION_ERRTYPE);
	(void)snprintf(
	    r.verdict.message, sizeof r.verdict.message, "%s", e->text);
	print_outcome(job, &r);
	return exit_status(r.verdict.kind);
}

static int
tell_failure(const struct err *e, int status)
{
	fprintf(stderr, "faktotum run-once: %s\n", e->text);
	return status;
}

static int
explain_only(const struct settings *settings, struct invocation_request *q,
    int64_t grace)
{
	struct invocation v;
	struct err e;
	char dir[4096];

	(void)snprintf(
	    dir, sizeof dir, "%s/%s", settings->tmpdir, q->dispatch_id);
	q->tmpdir = dir;
	int r = invocation_make(&v, q, &e);
	if (r < 0)
		return tell_failure(&e, r == -EINVAL ? EX_DATAERR : EX_OSERR);
	explain(stdout, settings, q->handler, &v, q->timeout, grace);
	invocation_clear(&v);
	return EX_OK;
}

/* Runs or explains; everything but the private directory is known. */
static int
carry_out(const struct settings *settings, struct invocation_request *q,
    const struct timeline *when, bool explaining)
{
	struct once_result result = { 0 };
	struct err e;

	if (explaining)
		return explain_only(settings, q, when->grace);
	int r = once_run(settings, q, when, &result, &e);
	if (r == -EINVAL)
		return tell_misfit(q->handler, q->job, &e);
	if (r < 0)
		return tell_failure(&e, r == -ENOTSUP ? EX_CONFIG : EX_OSERR);
	print_outcome(q->job, &result);
	int status = exit_status(result.verdict.kind);
	verdict_clear(&result.verdict);
	talk_clear(&result.talk);
	return status;
}

static int
run_job(const struct settings *settings, bool explaining,
    const struct handler *how, const struct job *job)
{
	char id[DRAFT_JID_HEX + 1];
	struct environment base = { 0 };
	struct err e;
	int64_t now = clock_mono();
	struct timeline t = timeline_make(job, how, now);
	int64_t timeout = timeline_deadline(&t, how, now) - now;
	struct invocation_request q = {
		.handler = how,
		.job = job,
		.base = &base,
		.dispatch_id = id,
		.deadline = clock_wall() + timeout,
		.timeout = timeout,
		.lookup = lookup,
	};
	int r = draft_jid(id);

	if (r < 0)
		(void)err_set(&e, -r, "no random bytes: %s", strerror(-r));
	else
		r = environment_base(&base, settings, lookup, &e);
	int status = r < 0 ? tell_failure(&e, EX_OSERR)
			   : carry_out(settings, &q, &t, explaining);
	environment_clear(&base);
	return status;
}

/* Fills bytes and *job, which borrows from them. 0, or an exit status. */
static int
job_from_stdin(struct buf *bytes, struct job *job, const char *jobtype)
{
	struct buf *input = buf_new(INPUT_MAX);
	struct err e;
	int status = EX_OK;

	if (input == NULL || bytes == NULL) {
		(void)err_set(&e, ENOMEM, "memory is short");
		status = EX_OSERR;
	} else if (read_input(input, &e) < 0) {
		(void)err_wrap(&e, "standard input");
		status = EX_NOINPUT;
	} else if (make_job(bytes, input, jobtype, &e) < 0 ||
	    job_parse(buf_front(bytes), buf_len(bytes), job, &e) < 0) {
		(void)err_wrap(&e, "standard input");
		status = EX_DATAERR;
	}
	buf_free(input);
	return status == EX_OK ? EX_OK : tell_failure(&e, status);
}

static int
run_once(const struct settings *settings, const struct request *q)
{
	const struct handler *how =
	    settings_choose(settings, q->jobtype, strlen(q->jobtype));
	struct job job;

	if (how == NULL) {
		fprintf(stderr, "faktotum run-once: %s has no handler for %s\n",
		    settings->file, q->jobtype);
		return EX_USAGE;
	}
	struct buf *bytes = buf_new(INPUT_MAX + 4096);
	int status = job_from_stdin(bytes, &job, q->jobtype);
	if (status == EX_OK) {
		status = run_job(settings, q->explain, how, &job);
		job_clear(&job);
	}
	buf_free(bytes);
	return status;
}

int
run_once_main(int argc, char **argv)
{
	static char name[] = "faktotum run-once"; /* for getopt's messages */
	struct request q = { 0 };
	int status;

	argv[0] = name;
	if (take_line(&q, argc, argv, &status) < 0)
		return status;
	struct settings *settings;
	status = load_settings(q.config, lookup, load_tell_mistake,
	    load_tell_warning, &settings, NULL);
	if (status != 0)
		return status;
	status = run_once(settings, &q);
	settings_free(settings);
	return status;
}
