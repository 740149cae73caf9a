/*
 * server_steps - a job's life in the server, one commit a move; and what one
 * that waits costs at the start.
 *
 * The jobs are those of a real store below $TMPDIR; what SQLite does is not
 * counted, for it is not ours.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <ev.h>
#include <ftw.h>
#include <stdint.h>
#include <unistd.h>

#include "protocol/job.h"
#include "server/counters.h"
#include "server/jobs.h"
#include "server/queues.h"
#include "server/store/store.h"
#include "tests/bench/steps.h"

#define JOB                                                                    \
	"{\"jid\":\"0123456789abcdef01234567\",\"jobtype\":\"resize\","        \
	"\"queue\":\"images\",\"args\":[17,\"a name\"],\"retry\":25}"

struct place {
	char dir[256];
	struct ev_loop *loop;
	struct queues *queues;
	struct counters *counters;
	struct jobs *jobs;
	struct store *store;
	bool heard;
};

static void
queued(void *ctx, struct queue *q)
{
	(void)ctx;
	(void)q;
}

static bool
awaited(void *ctx, struct queue *q, struct jobs_waiter *w)
{
	(void)ctx;
	(void)q;
	(void)w;
	return false;
}

static void
trouble(void *ctx, const char *jid, const char *what)
{
	(void)ctx;
	(void)jid;
	must(0, what);
}

static enum jobs_presence
presence(void *ctx, const char *wid)
{
	(void)ctx;
	(void)wid;
	return PRESENCE_HEARS;
}

static int
see_job(void *ctx, const struct store_job *row)
{
	(void)ctx;
	(void)row;
	return 0;
}

static int
see_counter(void *ctx, const char *name, int64_t value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return 0;
}

static int
see_queue(void *ctx, const char *name, bool paused)
{
	(void)ctx;
	(void)name;
	(void)paused;
	return 0;
}

static int
see_note(void *ctx, enum store_note note, const char *wid, const char *jid,
    int64_t value)
{
	(void)ctx;
	(void)note;
	(void)wid;
	(void)jid;
	(void)value;
	return 0;
}

static int
see_result(void *ctx, int64_t id, const char *jid, int64_t at)
{
	(void)ctx;
	(void)id;
	(void)jid;
	(void)at;
	return 0;
}

static void
load(struct place *p, long jobs)
{
	char jid[32];

	for (long i = 1; i <= jobs; i++) {
		const struct store_job row = { .id = i,
			.state = JOB_QUEUED,
			.seq = i,
			.enqueued_at = 1,
			.retry = 25,
			.reserve_for = 1800,
			.retry_count = -1,
			.jid = jid,
			.jobtype = "resize",
			.queue = "images" };

		snprintf(jid, sizeof jid, "%024lx", i);
		must(jobs_load(p->jobs, &row) == 0, "jobs_load");
	}
}

static void
open_place(struct place *p, long jobs)
{
	const char *tmp = getenv("TMPDIR");
	const struct jobs_hooks hooks = { queued, awaited, trouble, presence,
		p };
	const struct jobs_options options = { .worker_grace = 1,
		.worker_deaths = 3 };
	const struct store_visitor nothing = { see_job, see_counter, see_queue,
		see_note, see_result, NULL };
	struct err e = { 0 };

	memset(p, 0, sizeof *p);
	snprintf(p->dir, sizeof p->dir, "%.200s/steps.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	must(mkdtemp(p->dir) != NULL, "mkdtemp");
	p->loop = ev_loop_new(EVFLAG_AUTO);
	p->queues = queues_new();
	p->counters = counters_new();
	must(p->loop != NULL && p->queues != NULL && p->counters != NULL,
	    "no memory");
	p->jobs = jobs_new(p->loop, p->queues, p->counters, &hooks, &options);
	must(p->jobs != NULL, "no memory");
	p->store = store_open(p->loop, p->dir, &nothing, &e);
	must(p->store != NULL, e.text);
	load(p, jobs);
	jobs_start(p->jobs, p->store);
}

static int
drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
close_place(struct place *p)
{
	store_close(p->store);
	jobs_free(p->jobs);
	counters_free(p->counters);
	queues_free(p->queues);
	ev_loop_destroy(p->loop);
	must(nftw(p->dir, drop, 8, FTW_DEPTH | FTW_PHYS) == 0, "nftw");
}

static void
hear(void *ctx, int result, const struct err *why)
{
	struct place *p = ctx;

	must(result == 0, why->text);
	p->heard = true;
}

static void
hear_taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	(void)e;
	(void)d;
	hear(ctx, result, why);
}

static void
until_heard(struct place *p)
{
	store_flush(p->store);
	while (!p->heard)
		ev_run(p->loop, EVRUN_ONCE);
	p->heard = false;
}

static void
lives(long n)
{
	static const struct jobs_claim claim = {
		.jid = "0123456789abcdef01234567", .jid_len = 24, .wid = "w1"
	};
	const struct json none = { .kind = JSON_NONE };
	struct place p;
	struct job j;
	struct err e;

	open_place(&p, 0);
	must(job_parse(JOB, strlen(JOB), &j, &e) == 0, "job_parse");
	for (long i = 0; i < n; i++) {
		must(jobs_push(p.jobs, &j, hear, &p) == 0, "jobs_push");
		until_heard(&p);
		must(jobs_take(p.jobs, queues_find(p.queues, "images", 6), "w1",
			 hear_taken, &p) == 0,
		    "jobs_take");
		until_heard(&p);
		must(
		    jobs_ack(p.jobs, &claim, &none, hear, &p) == 0, "jobs_ack");
		until_heard(&p);
	}
	job_clear(&j);
	close_place(&p);
}

static void
starts(long n)
{
	struct place p;

	open_place(&p, n);
	must(queues_jobs(p.queues) == (size_t)n, "not all are there");
	close_place(&p);
}

int
main(int argc, char **argv)
{
	static const struct step steps[] = {
		{ "push, fetch and ACK in the server", lives },
		{ "a waiting job at the start", starts },
	};

	return steps_main(steps, sizeof steps / sizeof steps[0], argc, argv);
}
