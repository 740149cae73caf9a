/*
 * metrics - a family is a row: its name, kind, help, and who puts its samples.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/parts.h"
#include "server/web/web.h"

struct page {
	const struct server *s;
	struct store_status store;
	int64_t now; /* wall clock */
	struct buf *out;
	int failed; /* the first failure of out */
};

struct family {
	const char *name;
	const char *kind;
	const char *help;
	void (*put)(struct page *p, const char *name);
};

static void
put(struct page *p, int r)
{
	if (p->failed == 0)
		p->failed = r;
}

#define PUT(p, ...) put((p), buf_printf((p)->out, __VA_ARGS__))

static void
put_count(struct page *p, const char *name, uint64_t n)
{
	PUT(p, "%s %" PRIu64 "\n", name, n);
}

static void
put_seconds(struct page *p, const char *name, double seconds)
{
	PUT(p, "%s %.9g\n", name, seconds);
}

/* ---- queues and sets ------------------------------------------------------ */

/* A queue's name needs no escapes: letters, digits and "._-". */
#define EACH_QUEUE(p, q)                                                       \
	for (size_t cursor_ = 0;                                               \
	     ((q) = queues_next((p)->s->queues, &cursor_)) != NULL;)           \
		if ((q)->known)

static void
put_waiting(struct page *p, const char *name)
{
	const struct queue *q;

	EACH_QUEUE(p, q)
	PUT(p, "%s{queue=\"%s\"} %zu\n", name, q->name, q->count);
}

static void
put_latency(struct page *p, const char *name)
{
	const struct queue *q;

	EACH_QUEUE(p, q)
	{
		int64_t since = q->head != NULL ? q->head->enqueued_at : 0;
		int64_t ns = since > 0 && since < p->now ? p->now - since : 0;

		PUT(p, "%s{queue=\"%s\"} %.3f\n", name, q->name,
		    (double)ns / (double)CLOCK_NS_PER_S);
	}
}

static void
put_paused(struct page *p, const char *name)
{
	const struct queue *q;

	EACH_QUEUE(p, q)
	PUT(p, "%s{queue=\"%s\"} %d\n", name, q->name, q->paused);
}

static void
put_sets(struct page *p, const char *name)
{
	static const char *const names[JOBS_SETS] = { "scheduled", "retries",
		"dead" };

	for (int i = 0; i < JOBS_SETS; i++)
		PUT(p, "%s{set=\"%s\"} %zu\n", name, names[i],
		    jobs_in_set(p->s->jobs, (enum jobs_set)i));
	PUT(p, "%s{set=\"working\"} %zu\n", name, jobs_reserved(p->s->jobs));
}

static void
put_expired(struct page *p, const char *name)
{
	put_count(p, name, jobs_reaped(p->s->jobs));
}

static void
put_processed(struct page *p, const char *name)
{
	put_count(
	    p, name, (uint64_t)counters_total(p->s->counters, COUNT_PROCESSED));
}

static void
put_failed(struct page *p, const char *name)
{
	put_count(
	    p, name, (uint64_t)counters_total(p->s->counters, COUNT_FAILURES));
}

/* ---- the disk --------------------------------------------------------------- */

static void
put_commits(struct page *p, const char *name)
{
	put_count(p, name, p->store.commits);
}

static void
put_commit_failures(struct page *p, const char *name)
{
	put_count(p, name, p->store.failures);
}

static void
put_changes(struct page *p, const char *name)
{
	put_count(p, name, p->store.changes);
}

static void
put_commit_times(struct page *p, const char *name)
{
	const struct store_times *t = &p->store.times;
	uint64_t sum = 0;

	for (size_t i = 0; i < STORE_TIMES; i++) {
		sum += t->at[i];
		PUT(p, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
		    store_time_bounds[i], sum);
	}
	sum += t->at[STORE_TIMES];
	PUT(p, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
	PUT(p, "%s_sum %.9g\n%s_count %" PRIu64 "\n", name, t->sum, name, sum);
}

static void
put_last_commit(struct page *p, const char *name)
{
	put_seconds(
	    p, name, (double)p->store.last_commit / (double)CLOCK_NS_PER_S);
}

static void
put_store_bytes(struct page *p, const char *name)
{
	put_count(p, name, (uint64_t)p->store.bytes);
}

static void
put_store_used(struct page *p, const char *name)
{
	put_count(p, name, (uint64_t)p->store.used_bytes);
}

static void
put_healthy(struct page *p, const char *name)
{
	char reason[HEALTH_REASON_MAX];

	PUT(p, "%s %d\n", name,
	    !p->s->stopping && health_trouble(p->s->health, reason) == NULL);
}

/* ---- clients ------------------------------------------------------------------ */

static void
put_unlogged(struct page *p, const char *name)
{
	put_count(p, name, log_dropped());
}

static void
put_commands(struct page *p, const char *name)
{
	put_count(p, name, p->s->commands);
}

static void
put_connections(struct page *p, const char *name)
{
	put_count(p, name, p->s->nconns);
}

static void
put_connections_max(struct page *p, const char *name)
{
	put_count(p, name, (uint64_t)p->s->settings->limits.connections);
}

static void
put_refused(struct page *p, const char *name)
{
	put_count(p, name, p->s->refused);
}

static void
put_stalled(struct page *p, const char *name)
{
	put_count(p, name, p->s->stalled);
}

static void
put_pushes_refused(struct page *p, const char *name)
{
	put_count(p, name, p->s->room.refused);
}

static void
put_too_large(struct page *p, const char *name)
{
	put_count(p, name, p->s->room.too_large);
}

static void
put_unfit(struct page *p, const char *name)
{
	static const char *const reasons[UNFITS] = { "jobtype", "args",
		"effort" };

	for (int i = 0; i < UNFITS; i++)
		for (int refused = 0; refused < 2; refused++)
			PUT(p, "%s{reason=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
			    name, reasons[i], refused ? "refused" : "taken",
			    catalogue_count(
				p->s->catalogue, (enum unfit)i, refused != 0));
}

static void
put_web_connections(struct page *p, const char *name)
{
	put_count(p, name, web_connections(p->s->web));
}

static void
put_workers(struct page *p, const char *name)
{
	put_count(p, name, workers_count(p->s->workers));
}

static void
put_silent(struct page *p, const char *name)
{
	put_count(p, name, workers_reaped(p->s->workers));
}

static void
put_buffered(struct page *p, const char *name)
{
	put_count(p, name, p->s->buffered);
}

/* ---- the process ---------------------------------------------------------------- */

static void
put_build(struct page *p, const char *name)
{
	PUT(p, "%s{version=\"%s\"} 1\n", name, FAKTOTUM_VERSION);
}

static void
put_uptime(struct page *p, const char *name)
{
	put_seconds(p, name,
	    (double)(clock_mono() - p->s->began) / (double)CLOCK_NS_PER_S);
}

static void
put_start(struct page *p, const char *name)
{
	PUT(p, "%s %.3f\n", name,
	    (double)p->s->started / (double)CLOCK_NS_PER_S);
}

static void
put_open_fds(struct page *p, const char *name)
{
	DIR *dir = opendir("/proc/self/fd");
	long n = 0;

	if (dir == NULL)
		return;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	/* Without ".", ".." and the one just used. */
	PUT(p, "%s %ld\n", name, n - 3);
}

static void
put_max_fds(struct page *p, const char *name)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		put_count(p, name, limit.rlim_cur);
}

static void
put_resident(struct page *p, const char *name)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long all, resident;

	if (file == NULL)
		return;
	if (fscanf(file, "%llu %llu", &all, &resident) == 2)
		put_count(p, name,
		    resident * (unsigned long long)sysconf(_SC_PAGESIZE));
	fclose(file);
}

/* clang-format off: a table */
static const struct family families[] = {
	{ "faktotum_server_queue_jobs", "gauge", "Jobs that wait in a queue.",
	    put_waiting },
	{ "faktotum_server_queue_latency_seconds", "gauge",
	    "How long the next job of a queue has waited there.", put_latency },
	{ "faktotum_server_queue_paused", "gauge",
	    "1 while a queue gives no jobs.", put_paused },
	{ "faktotum_server_set_jobs", "gauge",
	    "Jobs in a set; working: with a worker.", put_sets },
	{ "faktotum_server_reservations_expired_total", "counter",
	    "Jobs that their workers neither acknowledged nor failed in time.",
	    put_expired },
	{ "faktotum_server_jobs_processed_total", "counter",
	    "Jobs that ended, failures too. Kept on disk.", put_processed },
	{ "faktotum_server_jobs_failed_total", "counter",
	    "Failures. Kept on disk.", put_failed },
	{ "faktotum_server_commands_total", "counter", "Commands served.",
	    put_commands },
	{ "faktotum_server_connections", "gauge", "Clients that are connected.",
	    put_connections },
	{ "faktotum_server_connections_max", "gauge",
	    "The setting limits.connections.", put_connections_max },
	{ "faktotum_server_connections_refused_total", "counter",
	    "Clients refused because so many were connected.", put_refused },
	{ "faktotum_server_connections_stalled_total", "counter",
	    "Clients closed because they took nothing of an answer.",
	    put_stalled },
	{ "faktotum_server_pushes_refused_total", "counter",
	    "PUSH and PUSHB refused at limits.jobs, limits.disk, or for want "
	    "of disk.",
	    put_pushes_refused },
	{ "faktotum_server_jobs_too_large_total", "counter",
	    "Pushed jobs refused at limits.job.", put_too_large },
	{ "faktotum_server_jobs_unfit_total", "counter",
	    "Pushed jobs that did not fit `jobtypes`, by what did not and by "
	    "what became of them.",
	    put_unfit },
	{ "faktotum_server_web_connections", "gauge",
	    "HTTP connections, this one too.", put_web_connections },
	{ "faktotum_server_workers", "gauge",
	    "Worker processes, by their heartbeats.", put_workers },
	{ "faktotum_server_workers_silent_total", "counter",
	    "Worker processes forgotten because they were silent.",
	    put_silent },
	{ "faktotum_server_buffered_bytes", "gauge",
	    "What connections hold of commands and answers.", put_buffered },
	{ "faktotum_server_healthy", "gauge", "What /health says: 1 for 200.",
	    put_healthy },
	{ "faktotum_server_commits_total", "counter", "Transactions on disk.",
	    put_commits },
	{ "faktotum_server_commit_failures_total", "counter",
	    "Transactions that the disk refused.", put_commit_failures },
	{ "faktotum_server_commit_seconds", "histogram",
	    "Time that a transaction took, its sync included.",
	    put_commit_times },
	{ "faktotum_server_changes_total", "counter",
	    "Moves of jobs and the like in those transactions.", put_changes },
	{ "faktotum_server_last_commit_time_seconds", "gauge",
	    "When the latest good transaction ended, in Unix time.",
	    put_last_commit },
	{ "faktotum_server_store_bytes", "gauge",
	    "Size of the database and its log.", put_store_bytes },
	{ "faktotum_server_store_used_bytes", "gauge",
	    "What jobs take of the database: what limits.disk is about.",
	    put_store_used },
	{ "faktotum_server_log_lines_dropped_total", "counter",
	    "Lines of the log that were dropped: its reader was too slow.",
	    put_unlogged },
	{ "faktotum_server_uptime_seconds", "gauge", "Time since the start.",
	    put_uptime },
	{ "faktotum_server_build_info", "gauge", "1, with the version.",
	    put_build },
	{ "process_start_time_seconds", "gauge",
	    "When the server started, in Unix time.", put_start },
	{ "process_open_fds", "gauge", "Open descriptors.", put_open_fds },
	{ "process_max_fds", "gauge", "How many there may be.", put_max_fds },
	{ "process_resident_memory_bytes", "gauge",
	    "Resident size of the server.", put_resident },
};
/* clang-format on */

int
metrics_put(struct buf *out, const struct server *s)
{
	struct page p = { .s = s, .now = clock_wall(), .out = out };

	store_status(s->store, &p.store);
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		const struct family *f = &families[i];

		PUT(&p, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help,
		    f->name, f->kind);
		f->put(&p, f->name);
	}
	return p.failed;
}
