/*
 * metrics_text - the counters as Prometheus reads them (text 0.0.4).
 *
 * A family is a row: its name, its kind, its help, and who puts its samples.
 *
 * SPDX-License-Identifier: ISC
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "supervisor/metrics.h"
#include "supervisor/metrics_inside.h"

/* A jobtype of 1024 bytes, each escaped, and its NUL. */
enum { LABEL_MAX = 2 * JOB_JOBTYPE_MAX + 1 };

const char *const metrics_phases[] = { "running", "quiet", "draining",
	"stopping", "killing", "reporting", "over", NULL };

struct page {
	const struct metrics *m;
	const struct metrics_now *now;
	struct buf *out;
	int failed; /* the first failure of out */
};

struct family {
	const char *name;
	const char *kind;
	const char *help;
	/* Of one jobtype; or of everything, then j is NULL. */
	void (*each)(struct page *p, const struct family *f,
	    const struct metrics_job *j, const char *label);
	void (*once)(struct page *p, const struct family *f);
	size_t offset; /* for put_job_count(), put_now_count() */
};

static void
put(struct page *p, int r)
{
	if (p->failed == 0)
		p->failed = r;
}

#define PUT(p, ...) put((p), buf_printf((p)->out, __VA_ARGS__))

/* As much as fits; never half an escape. */
static void
escape(const char *text, char out[LABEL_MAX])
{
	size_t n = 0;

	for (; *text != '\0' && n + 2 < LABEL_MAX; text++) {
		if (*text == '\\' || *text == '"' || *text == '\n')
			out[n++] = '\\';
		out[n++] = *text;
		if (*text == '\n')
			out[n - 1] = 'n';
	}
	out[n] = '\0';
}

static void
put_outcomes(struct page *p, const struct family *f,
    const struct metrics_job *j, const char *label)
{
	static const char *const names[METRICS_OUTCOMES] = { "done", "retry",
		"later", "dead", "discard", "refused", "lost", "returned" };

	for (size_t i = 0; i < METRICS_OUTCOMES; i++)
		PUT(p, "%s{jobtype=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
		    f->name, label, names[i], j->outcomes[i]);
}

static void
put_exits(struct page *p, const struct family *f, const struct metrics_job *j,
    const char *label)
{
	for (size_t i = 0; i < j->nexits; i++) {
		int status = j->exits[i].status;
		const char *abbrev = status >= METRICS_SIGNAL
		    ? sigabbrev_np(status - METRICS_SIGNAL)
		    : NULL;
		char shown[32];

		if (abbrev != NULL)
			snprintf(shown, sizeof shown, "SIG%s", abbrev);
		else if (status >= METRICS_SIGNAL)
			snprintf(shown, sizeof shown, "signal %d",
			    status - METRICS_SIGNAL);
		else
			snprintf(shown, sizeof shown, "%d", status);
		PUT(p, "%s{jobtype=\"%s\",status=\"%s\"} %" PRIu64 "\n",
		    f->name, label, shown, j->exits[i].count);
	}
	if (j->other_exits > 0)
		PUT(p, "%s{jobtype=\"%s\",status=\"other\"} %" PRIu64 "\n",
		    f->name, label, j->other_exits);
}

static void
put_histogram(struct page *p, const struct family *f,
    const struct metrics_job *j, const char *label)
{
	const struct histogram *h = (const void *)((const char *)j + f->offset);
	uint64_t sum = 0;

	for (size_t i = 0; i < METRICS_BOUNDS; i++) {
		sum += h->at[i];
		PUT(p, "%s_bucket{jobtype=\"%s\",le=\"%g\"} %" PRIu64 "\n",
		    f->name, label, metrics_bounds[i], sum);
	}
	sum += h->at[METRICS_BOUNDS];
	PUT(p,
	    "%s_bucket{jobtype=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
	    "%s_sum{jobtype=\"%s\"} %.9g\n%s_count{jobtype=\"%s\"} %" PRIu64
	    "\n",
	    f->name, label, sum, f->name, label, h->sum, f->name, label, sum);
}

static void
put_cpu(struct page *p, const struct family *f, const struct metrics_job *j,
    const char *label)
{
	PUT(p,
	    "%s{jobtype=\"%s\",mode=\"user\"} %.6f\n"
	    "%s{jobtype=\"%s\",mode=\"system\"} %.6f\n",
	    f->name, label, j->user, f->name, label, j->system);
}

static void
put_job_count(struct page *p, const struct family *f,
    const struct metrics_job *j, const char *label)
{
	const uint64_t *n = (const void *)((const char *)j + f->offset);

	PUT(p, "%s{jobtype=\"%s\"} %" PRIu64 "\n", f->name, label, *n);
}

static void
put_breaker(struct page *p, const struct family *f, const struct metrics_job *j,
    const char *label)
{
	for (int i = BREAKER_CLOSED; i <= BREAKER_PROBING; i++)
		PUT(p, "%s{jobtype=\"%s\",state=\"%s\"} %d\n", f->name, label,
		    breaker_state_name((enum breaker_state)i),
		    j->breaker == (enum breaker_state)i);
}

static void
put_queues(struct page *p, const struct family *f)
{
	char label[LABEL_MAX];

	for (size_t i = 0; i < p->now->nqueues; i++) {
		escape(p->now->queues[i].name, label);
		PUT(p, "%s{queue=\"%s\"} %d\n", f->name, label,
		    p->now->queues[i].fetched);
	}
}

static void
put_flag(struct page *p, const struct family *f)
{
	const bool *set = (const void *)((const char *)p->now + f->offset);

	PUT(p, "%s %d\n", f->name, *set);
}

static void
put_size(struct page *p, const struct family *f)
{
	const size_t *n = (const void *)((const char *)p->now + f->offset);

	PUT(p, "%s %zu\n", f->name, *n);
}

static void
put_count(struct page *p, const struct family *f)
{
	const uint64_t *n = (const void *)((const char *)p->now + f->offset);

	PUT(p, "%s %" PRIu64 "\n", f->name, *n);
}

static void
put_phase(struct page *p, const struct family *f)
{
	for (size_t i = 0; metrics_phases[i] != NULL; i++)
		PUT(p, "%s{phase=\"%s\"} %d\n", f->name, metrics_phases[i],
		    strcmp(metrics_phases[i], p->now->phase) == 0);
}

static void
put_build(struct page *p, const struct family *f)
{
	PUT(p, "%s{version=\"%s\"} 1\n", f->name, FAKTOTUM_VERSION);
}

static void
put_reconnects(struct page *p, const struct family *f)
{
	PUT(p, "%s %" PRIu64 "\n", f->name,
	    p->m->connects > 0 ? p->m->connects - 1 : 0);
}

static void
put_start(struct page *p, const struct family *f)
{
	PUT(p, "%s %.3f\n", f->name, (double)p->m->began / 1e9);
}

static void
put_open_fds(struct page *p, const struct family *f)
{
	DIR *dir = opendir("/proc/self/fd");
	long n = 0;

	if (dir == NULL)
		return;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	/* Without ".", ".." and the one just used. */
	PUT(p, "%s %ld\n", f->name, n - 3);
}

static void
put_max_fds(struct page *p, const struct family *f)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		PUT(p, "%s %llu\n", f->name,
		    (unsigned long long)limit.rlim_cur);
}

static void
put_resident(struct page *p, const struct family *f)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long all, resident;

	if (file == NULL)
		return;
	if (fscanf(file, "%llu %llu", &all, &resident) == 2)
		PUT(p, "%s %llu\n", f->name,
		    resident * (unsigned long long)sysconf(_SC_PAGESIZE));
	fclose(file);
}

#define JOB(member) offsetof(struct metrics_job, member)
#define NOW(member) offsetof(struct metrics_now, member)

/* clang-format off: a table */
static const struct family families[] = {
	{ "faktotum_jobs_total", "counter",
	    "Jobs that ended, by what the server was told.", put_outcomes, NULL,
	    0 },
	{ "faktotum_job_exits_total", "counter",
	    "Programs that ended, by exit status or signal.", put_exits, NULL,
	    0 },
	{ "faktotum_job_run_seconds", "histogram",
	    "Time from the start of a program to its end.", put_histogram, NULL,
	    JOB(run) },
	{ "faktotum_job_wait_seconds", "histogram",
	    "Time from a job's enqueued_at to the start of its program.",
	    put_histogram, NULL, JOB(wait) },
	{ "faktotum_job_cpu_seconds_total", "counter",
	    "CPU time of programs and what they waited for.", put_cpu, NULL,
	    0 },
	{ "faktotum_job_peak_memory_bytes", "gauge",
	    "Largest resident size of any process of a program so far.",
	    put_job_count, NULL, JOB(peak) },
	{ "faktotum_jobs_running", "gauge", "Jobs whose programs run now.",
	    put_job_count, NULL, JOB(running) },
	{ "faktotum_jobs_held", "gauge",
	    "Jobs that wait here for their jobtype's concurrency or breaker.",
	    put_job_count, NULL, JOB(held) },
	{ "faktotum_output_lines_total", "counter",
	    "Lines that programs printed.", put_job_count, NULL, JOB(lines) },
	{ "faktotum_output_lines_suppressed_total", "counter",
	    "Lines of them that log_rate left out.", put_job_count, NULL,
	    JOB(left_out) },
	{ "faktotum_log_lines_dropped_total", "counter",
	    "Lines of the log that were dropped: its reader was too slow.",
	    NULL, put_count, NOW(unlogged) },
	{ "faktotum_spawn_failures_total", "counter",
	    "Programs that could not be started.", put_job_count, NULL,
	    JOB(spawn_failures) },
	{ "faktotum_breaker_state", "gauge",
	    "1 for the state of a handler's breaker.", put_breaker, NULL, 0 },
	{ "faktotum_breaker_opened_total", "counter",
	    "Times that a handler's breaker opened.", put_job_count, NULL,
	    JOB(opened) },
	{ "faktotum_queue_fetched", "gauge",
	    "Whether a queue has a handler that works; 0: their breakers are "
	    "open, and it is left alone.",
	    NULL, put_queues, 0 },
	{ "faktotum_messages_ignored_total", "counter",
	    "Lines on descriptor 3 that were no message, or not allowed.",
	    put_job_count, NULL, JOB(ignored) },
	{ "faktotum_connected", "gauge",
	    "Whether there is a conversation with the server.", NULL, put_flag,
	    NOW(connected) },
	{ "faktotum_beating", "gauge",
	    "Whether the server has accepted a beat in it.", NULL, put_flag,
	    NOW(beating) },
	{ "faktotum_ready", "gauge", "What /readyz says: 1 for 200.", NULL,
	    put_flag, NOW(ready) },
	{ "faktotum_phase", "gauge",
	    "1 for the phase of the supervisor's life.", NULL, put_phase, 0 },
	{ "faktotum_reconnects_total", "counter",
	    "Conversations after the first.", NULL, put_reconnects, 0 },
	{ "faktotum_fetches_total", "counter",
	    "Questions for jobs: FETCH, or FETCHB for several.", NULL,
	    put_count, NOW(fetches) },
	{ "faktotum_slots", "gauge", "The setting concurrency.", NULL, put_size,
	    NOW(slots) },
	{ "faktotum_slots_in_use", "gauge",
	    "Jobs that are here: starting, running, held.", NULL, put_size,
	    NOW(busy) },
	{ "faktotum_outcomes_waiting", "gauge",
	    "Outcomes that the server has not confirmed.", NULL, put_size,
	    NOW(waiting) },
	{ "faktotum_acks_total", "counter", "ACKs that the server confirmed.",
	    NULL, put_count, NOW(told.acked) },
	{ "faktotum_fails_total", "counter", "FAILs that the server confirmed.",
	    NULL, put_count, NOW(told.failed) },
	{ "faktotum_pushes_total", "counter",
	    "PUSHBs of follow-up jobs that the server accepted.", NULL,
	    put_count, NOW(told.pushes) },
	{ "faktotum_pushes_refused_total", "counter",
	    "Jobs that failed since the server refused their follow-up jobs.",
	    NULL, put_count, NOW(told.pushes_refused) },
	{ "faktotum_releases_total", "counter",
	    "Jobs given back that the server took.", NULL, put_count,
	    NOW(told.released) },
	{ "faktotum_copies_total", "counter",
	    "Jobs pushed once more, which the server took.", NULL, put_count,
	    NOW(told.copied) },
	{ "faktotum_outcomes_late_total", "counter",
	    "Outcomes that the server answered with \"Job not found\".", NULL,
	    put_count, NOW(told.unknown) },
	{ "faktotum_outcomes_dropped_total", "counter",
	    "Outcomes refused for good or not confirmed in time.", NULL,
	    put_count, NOW(told.dropped) },
	{ "faktotum_build_info", "gauge", "1, with the version.", NULL,
	    put_build, 0 },
	{ "process_start_time_seconds", "gauge",
	    "When counting began, in Unix time.", NULL, put_start, 0 },
	{ "process_open_fds", "gauge", "Open descriptors.", NULL, put_open_fds,
	    0 },
	{ "process_max_fds", "gauge", "How many there may be.", NULL,
	    put_max_fds, 0 },
	{ "process_resident_memory_bytes", "gauge",
	    "Resident size of the supervisor.", NULL, put_resident, 0 },
};
/* clang-format on */

static void
put_family(struct page *p, const struct family *f)
{
	char label[LABEL_MAX];

	PUT(p, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
	    f->kind);
	if (f->once != NULL)
		f->once(p, f);
	for (size_t i = 0; f->each != NULL && i < p->m->njobs; i++) {
		escape(p->m->jobs[i]->jobtype, label);
		f->each(p, f, p->m->jobs[i], label);
	}
}

/* After all of ours: the operator's names are none of these. */
static void
put_programs(struct page *p)
{
	char label[LABEL_MAX];
	const char *before = "";
	struct program_series s;
	size_t cursor = 0;

	while (program_metrics_next(p->m->programs, &cursor, &s)) {
		if (strcmp(before, s.name) != 0)
			PUT(p,
			    "# HELP %s Reported by programs.\n# TYPE %s %s\n",
			    s.name, s.name, s.gauge ? "gauge" : "counter");
		before = s.name;
		escape(s.jobtype, label);
		PUT(p, "%s{jobtype=\"%s\"} %.16g\n", s.name, label, s.value);
	}
}

int
metrics_put(
    const struct metrics *m, const struct metrics_now *now, struct buf *out)
{
	struct page p = { .m = m, .now = now, .out = out };

	if (m == NULL)
		return -EINVAL;
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		put_family(&p, &families[i]);
	put_programs(&p);
	return p.failed;
}
