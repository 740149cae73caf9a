/*
 * metrics - counting.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "supervisor/metrics_inside.h"

const double metrics_bounds[METRICS_BOUNDS] = { 0.005, 0.01, 0.05, 0.1, 0.5, 1,
	2.5, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600 };

static struct metrics_job *
add(struct metrics *m, const char *jobtype)
{
	struct metrics_job *j = calloc(1, sizeof *j);

	if (j != NULL)
		j->jobtype = strdup(jobtype);
	if (j == NULL || j->jobtype == NULL ||
	    map_put(m->index, j->jobtype, strlen(j->jobtype), j) < 0) {
		if (j != NULL)
			free(j->jobtype);
		free(j);
		return NULL;
	}
	m->jobs[m->njobs++] = j;
	return j;
}

struct metrics *
metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->index = map_new();
	m->began = clock_wall();
	m->programs = program_metrics_new();
	if (m->index == NULL || m->programs == NULL ||
	    add(m, "other") == NULL) {
		metrics_free(m);
		return NULL;
	}
	return m;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->njobs; i++) {
		free(m->jobs[i]->jobtype);
		free(m->jobs[i]);
	}
	map_free(m->index);
	program_metrics_free(m->programs);
	free(m);
}

void
metrics_know(struct metrics *m, const struct settings *s)
{
	for (size_t i = 0; m != NULL && i < s->nhandlers; i++) {
		const char *jobtype = s->handlers[i].jobtype;

		if (m->njobs <= METRICS_JOBTYPES_MAX &&
		    map_get(m->index, jobtype, strlen(jobtype)) == NULL)
			(void)add(m, jobtype);
	}
	if (m != NULL)
		program_metrics_know(m->programs, s);
}

static struct metrics_job *
find(const struct metrics *m, const struct job *job)
{
	struct metrics_job *j = job->jobtype.bytes == NULL
	    ? NULL
	    : map_get(m->index, job->jobtype.bytes, job->jobtype.len);

	return j != NULL ? j : m->jobs[0];
}

static void
observe(struct histogram *h, int64_t ns)
{
	double seconds = ns > 0 ? (double)ns / 1e9 : 0.;
	size_t i = 0;

	while (i < METRICS_BOUNDS && seconds > metrics_bounds[i])
		i++;
	h->at[i]++;
	h->sum += seconds;
}

void
metrics_started(struct metrics *m, const struct job *job)
{
	int64_t since;

	if (m != NULL && job->enqueued_at.bytes != NULL &&
	    timestamp_parse(
		job->enqueued_at.bytes, job->enqueued_at.len, &since) == 0)
		observe(&find(m, job)->wait, clock_wall() - since);
}

static void
count_exit(struct metrics_job *j, int status)
{
	int key = WIFSIGNALED(status) ? METRICS_SIGNAL + WTERMSIG(status)
				      : WEXITSTATUS(status);
	size_t i = 0;

	while (i < j->nexits && j->exits[i].status != key)
		i++;
	if (i == METRICS_EXITS_MAX) {
		j->other_exits++;
		return;
	}
	if (i == j->nexits)
		j->exits[j->nexits++] = (struct exits){ .status = key };
	j->exits[i].count++;
}

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void
count_program(struct metrics_job *j, const struct run_facts *facts)
{
	uint64_t peak = (uint64_t)facts->usage.ru_maxrss * 1024;

	if (!facts->started) {
		j->spawn_failures++;
		return;
	}
	count_exit(j, facts->status);
	observe(&j->run, facts->elapsed);
	j->user += seconds_of(facts->usage.ru_utime);
	j->system += seconds_of(facts->usage.ru_stime);
	if (peak > j->peak)
		j->peak = peak;
}

void
metrics_not_started(struct metrics *m, const struct job *job)
{
	if (m != NULL)
		find(m, job)->spawn_failures++;
}

void
metrics_ended(struct metrics *m, const struct job *job,
    enum metrics_outcome outcome, const struct run_facts *facts)
{
	if (m == NULL)
		return;
	struct metrics_job *j = find(m, job);
	j->outcomes[outcome]++;
	if (facts != NULL)
		count_program(j, facts);
}

void
metrics_line(struct metrics *m, const struct job *job, bool left_out)
{
	if (m == NULL)
		return;
	struct metrics_job *j = find(m, job);
	j->lines++;
	j->left_out += left_out;
}

int
metrics_report(
    struct metrics *m, const char *jobtype, const char *name, double value)
{
	return m == NULL
	    ? 0
	    : program_metrics_report(m->programs, jobtype, name, value);
}

void
metrics_ignored(struct metrics *m, const struct job *job, uint64_t lines)
{
	if (m != NULL)
		find(m, job)->ignored += lines;
}

void
metrics_connected(struct metrics *m)
{
	if (m != NULL)
		m->connects++;
}

void
metrics_begin_work(struct metrics *m)
{
	for (size_t i = 0; m != NULL && i < m->njobs; i++)
		m->jobs[i]->running = m->jobs[i]->held = 0;
}

void
metrics_at_work(struct metrics *m, const struct job *job, bool running)
{
	if (m == NULL)
		return;
	struct metrics_job *j = find(m, job);
	if (running)
		j->running++;
	else
		j->held++;
}

void
metrics_breaker(struct metrics *m, const char *jobtype, const struct breaker *b)
{
	struct metrics_job *j =
	    m == NULL ? NULL : map_get(m->index, jobtype, strlen(jobtype));

	if (j == NULL)
		return;
	j->breaker = b->state;
	j->opened = b->opened;
}
