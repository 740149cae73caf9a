/*
 * import - a stock server's jobs, out of its Redis and into an empty store.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/import.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/exit_status.h"
#include "server/import/aside.h"
#include "server/import/plan.h"
#include "server/import/source.h"
#include "server/import/stock_job.h"
#include "server/import/table.h"
#include "server/store/store.h"

struct import {
	const struct import_request *request;
	FILE *out, *err;
	struct source_place place;
	char name[STORE_SOURCE_MAX]; /* of the source, for the mark */
	struct source *source;
	struct plan *plan;
	struct aside *aside;
	struct stock_job *reader;
	struct store_intake *intake;
	int64_t now;

	/* Of the list or set that is being read. */
	const char *key;
	const char *queue; /* NULL: a set */
	enum job_state state;
	struct plan_count *count;
};

static int
failed(struct import *m, int status, const struct err *e)
{
	fputs("faktotum-server import: ", m->err);
	aside_say(m->err, e->text);
	putc('\n', m->err);
	return status;
}

/* ---- one element ---------------------------------------------------------- */

static int
set_aside(struct import *m, const struct source_element *element,
    const char *reason, struct err *e)
{
	m->count->aside++;
	return aside_put(m->aside, m->key, element, reason, e);
}

static int
on_element(void *ctx, const struct source_element *element, struct err *e)
{
	struct import *m = ctx;
	struct store_job *row;
	struct err why;
	int64_t due = 0;

	if (element->score != NULL &&
	    stock_score(element->score, element->score_len, &due) < 0)
		return set_aside(m, element, "the score is no moment", e);
	row = stock_job_read(m->reader, m->state, m->queue, due, element->bytes,
	    element->len, m->now, &why);
	if (row == NULL && why.code == EINVAL)
		return set_aside(m, element, why.text, e);
	if (row == NULL)
		return err_set(e, why.code, "%s", why.text);
	return store_intake_job(m->intake, row, e);
}

/* ---- all of them ------------------------------------------------------------ */

static int
read_list(struct import *m, struct plan_queue *q, enum plan_layout layout,
    struct err *e)
{
	char *key = plan_list_key(q, layout);

	if (key == NULL)
		return err_set(e, ENOMEM, "out of memory");
	m->key = key;
	m->queue = q->name;
	m->state = JOB_QUEUED;
	m->count = &q->count;
	int r = source_elements(
	    m->source, key, SOURCE_LIST, q->sizes[layout], on_element, m, e);
	free(key);
	return r;
}

static int
read_set(struct import *m, enum plan_set set, struct err *e)
{
	m->key = plan_set_name(set);
	m->queue = NULL;
	m->state = plan_set_state(set);
	m->count = &m->plan->sets[set];
	return source_elements(m->source, m->key, SOURCE_SORTED,
	    m->count->there, on_element, m, e);
}

/*
 * What is read first goes first out of its queue: a job that somebody worked
 * on, should it be given back, then the list of the older layout, to which
 * nothing was added since there was the newer one.
 */
static int
read_everything(struct import *m, struct err *e)
{
	struct plan *p = m->plan;

	if (read_set(m, PLAN_WORKING, e) < 0)
		return -e->code;
	for (size_t i = 0; i < p->nqueues; i++) {
		struct plan_queue *q = p->queues[i];

		if (store_intake_queue(m->intake, q->name, q->paused, e) < 0 ||
		    read_list(m, q, LAYOUT_OLD, e) < 0 ||
		    read_list(m, q, LAYOUT_NEW, e) < 0)
			return -e->code;
	}
	for (int set = PLAN_WORKING + 1; set < PLAN_SETS; set++)
		if (read_set(m, (enum plan_set)set, e) < 0)
			return -e->code;
	for (size_t i = 0; i < p->ncounters; i++)
		if (store_intake_counter(m->intake, p->counters[i].name,
			p->counters[i].value, e) < 0)
			return -e->code;
	return 0;
}

static void
on_count(void *ctx, enum job_state state, const char *queue, int64_t jobs)
{
	struct import *m = ctx;
	struct plan_queue *q =
	    queue != NULL ? plan_queue(m->plan, queue) : NULL;
	enum plan_set set = plan_set_of(state);

	if (q != NULL)
		q->count.here = jobs;
	else if (set < PLAN_SETS)
		m->plan->sets[set].here = jobs;
}

/* ---- from the beginning to the end -------------------------------------------- */

static int
source_status(const struct err *e)
{
	switch (e->code) {
	case ENOENT:
	case ENOTDIR:
		return EX_NOINPUT;
	case EINVAL:
	case ENAMETOOLONG:
		return EX_USAGE;
	case EAGAIN:
		return EX_TEMPFAIL;
	case ENOMEM:
		return EX_OSERR;
	default:
		return EX_UNAVAILABLE;
	}
}

static int
store_status_of(const struct err *e)
{
	switch (e->code) {
	case EBUSY:
		return EX_TEMPFAIL;
	case EEXIST:
		return EX_CANTCREAT;
	default:
		return exit_status_of_store(e->code);
	}
}

static int
reading_status(const struct err *e)
{
	switch (e->code) {
	case ECONNREFUSED:
	case EPROTO:
		return EX_UNAVAILABLE;
	case EAGAIN:
		return EX_TEMPFAIL;
	case EINVAL:
		return EX_DATAERR;
	default:
		return store_status_of(e);
	}
}

static int
find_source(struct import *m)
{
	struct err e;

	if (source_find(m->request->source, &m->place, &e) < 0)
		return failed(m, source_status(&e), &e);
	if (m->place.path[0] != '\0')
		snprintf(m->name, sizeof m->name, "%s", m->place.path);
	else
		snprintf(m->name, sizeof m->name, "%s:%u", m->place.host,
		    m->place.port);
	m->source = source_open(&m->place, m->request->password, &e);
	if (m->source == NULL) {
		err_wrap(&e, "%s", m->name);
		return failed(m, source_status(&e), &e);
	}
	return EX_OK;
}

/* A stock server that still runs would go on with the same jobs. */
static int
prove_alone(struct import *m)
{
	int64_t others;
	struct err e;

	if (source_others(m->source, &others, &e) < 0)
		return failed(m, source_status(&e), &e);
	if (others <= 0 || m->request->force)
		return EX_OK;
	err_set(&e, EAGAIN,
	    "%s has %" PRId64 " other client%s: is the stock server still "
	    "running? Stop it, or say --force when they only look on",
	    m->name, others, others == 1 ? "" : "s");
	return failed(m, EX_TEMPFAIL, &e);
}

static int
prepare(struct import *m)
{
	struct err e;

	m->now = clock_wall();
	m->reader = stock_job_new();
	m->aside = aside_new(m->request->skip_bad, m->err, &e);
	if (m->aside == NULL)
		return failed(m, store_status_of(&e), &e);
	if (m->reader == NULL) {
		err_set(&e, ENOMEM, "out of memory");
		return failed(m, EX_OSERR, &e);
	}
	m->plan = plan_make(m->source, &e);
	if (m->plan == NULL)
		return failed(m, reading_status(&e), &e);
	m->intake =
	    store_intake_open(m->request->data, m->name, m->request->merge, &e);
	return m->intake != NULL ? EX_OK : failed(m, store_status_of(&e), &e);
}

/* Whether it may be kept: EX_OK. */
static int
judge(struct import *m)
{
	struct err e;

	if (aside_count(m->aside) > 0 && m->request->skip_bad == NULL) {
		err_set(&e, EINVAL,
		    "nothing was imported: %" PRId64 " of what Redis holds "
		    "cannot be read as jobs; say --skip-bad FILE to import "
		    "the others and have these written to FILE",
		    aside_count(m->aside));
		return failed(m, EX_DATAERR, &e);
	}
	if (plan_still_holds(m->plan, m->source, &e) < 0)
		return failed(m, reading_status(&e), &e);
	if (store_intake_counts(m->intake, on_count, m, &e) < 0)
		return failed(m, store_status_of(&e), &e);
	return EX_OK;
}

enum { INTERRUPTED = 128 + SIGINT };

/* What was not committed is gone with the program. */
static void
on_signal(int number)
{
	(void)number;
	aside_abandon();
	_exit(INTERRUPTED);
}

static void
end_on_signals(void)
{
	const struct sigaction act = { .sa_handler = on_signal };

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
}

/* From here on the file set aside and the store belong together. */
static void
hold_signals(void)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &both, NULL);
}

static int
keep(struct import *m)
{
	struct err e;

	if (!table_agrees(m->plan)) {
		table_print(m->plan, m->out);
		err_set(&e, EPROTO,
		    "nothing was imported: the counts do not agree");
		return failed(m, EX_SOFTWARE, &e);
	}
	hold_signals();
	if (aside_sync(m->aside, &e) < 0 ||
	    store_intake_commit(m->intake, &e) < 0)
		return failed(m, store_status_of(&e), &e);
	table_print(m->plan, m->out);
	fprintf(m->out, "%s is imported into %s\n", m->name, m->request->data);
	if (aside_count(m->aside) > 0)
		fprintf(m->out, "%" PRId64 " that are no jobs are in %s\n",
		    aside_count(m->aside), m->request->skip_bad);
	return EX_OK;
}

int
import_run(const struct import_request *q, FILE *out, FILE *err)
{
	struct import m = { .request = q, .out = out, .err = err };
	struct err e;

	end_on_signals();
	int status = find_source(&m);

	if (status == EX_OK)
		status = prove_alone(&m);
	if (status == EX_OK)
		status = prepare(&m);
	if (status == EX_OK && read_everything(&m, &e) < 0)
		status = failed(&m, reading_status(&e), &e);
	if (status == EX_OK)
		status = judge(&m);
	if (status == EX_OK)
		status = keep(&m);
	store_intake_free(m.intake);
	aside_free(m.aside, status == EX_OK);
	stock_job_free(m.reader);
	plan_free(m.plan);
	source_close(m.source);
	return status;
}
