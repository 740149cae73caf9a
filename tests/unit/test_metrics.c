/*
 * What is counted is what the page says, in a form that Prometheus reads:
 * cumulative buckets, escaped labels, a bounded number of series.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/metrics.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/settings_file.h"

static const struct job resize = { .jobtype = { "resize", 6 },
	.enqueued_at = { "2026-01-01T00:00:00Z", 20 } };
static const struct job unknown = { .jobtype = { "nobody", 6 } };

/* The page, to be freed. */
static char *
page_of(struct metrics *m)
{
	const struct metrics_now now = { .connected = true,
		.phase = "quiet",
		.slots = 7,
		.told = { .unknown = 3 } };
	struct buf *out = buf_new(1 << 20);

	assert_int_equal(metrics_put(m, &now, out), 0);
	char *text = strndup(buf_front(out), buf_len(out));
	buf_free(out);
	return text;
}

static void
has(struct metrics *m, const char *line)
{
	char *page = page_of(m), whole[256];

	snprintf(whole, sizeof whole, "\n%s\n", line);
	if (strstr(page, whole) == NULL)
		fail_msg("no line \"%s\" in\n%s", line, page);
	free(page);
}

static struct metrics *
sample(const char *text)
{
	struct settings *s = good(text);
	struct metrics *m = metrics_new();

	assert_non_null(m);
	metrics_know(m, s);
	settings_free(s);
	return m;
}

#define RESIZE "jobs: {resize: {exec: [/bin/true]}}\n"

static void
an_end_is_counted_once_in_each_place(void **state)
{
	struct metrics *m = sample(RESIZE);
	struct run_facts facts = { .started = true,
		.status = 3 << 8,
		.elapsed = 20 * CLOCK_NS_PER_MS,
		.usage = { .ru_utime = { 1, 500000 },
		    .ru_stime = { 0, 250000 },
		    .ru_maxrss = 2048 } };

	(void)state;
	metrics_ended(m, &resize, METRICS_RETRY, &facts);
	facts.status = SIGKILL;
	facts.elapsed = 100000 * CLOCK_NS_PER_S;
	facts.usage.ru_maxrss = 1024;
	metrics_ended(m, &resize, METRICS_LOST, &facts);
	facts.started = false;
	metrics_ended(m, &resize, METRICS_RETRY, &facts);
	metrics_ended(m, &resize, METRICS_REFUSED, NULL);

	has(m, "faktotum_jobs_total{jobtype=\"resize\",outcome=\"retry\"} 2");
	has(m, "faktotum_jobs_total{jobtype=\"resize\",outcome=\"lost\"} 1");
	has(m, "faktotum_jobs_total{jobtype=\"resize\",outcome=\"refused\"} 1");
	has(m, "faktotum_jobs_total{jobtype=\"resize\",outcome=\"done\"} 0");
	has(m, "faktotum_job_exits_total{jobtype=\"resize\",status=\"3\"} 1");
	has(m,
	    "faktotum_job_exits_total{jobtype=\"resize\",status=\"SIGKILL\"} "
	    "1");
	has(m, "faktotum_spawn_failures_total{jobtype=\"resize\"} 1");
	has(m,
	    "faktotum_job_cpu_seconds_total{jobtype=\"resize\",mode=\"user\"} "
	    "3.000000");
	has(m, "faktotum_job_peak_memory_bytes{jobtype=\"resize\"} 2097152");
	has(m,
	    "faktotum_job_run_seconds_bucket{jobtype=\"resize\",le=\"0.01\"} "
	    "0");
	has(m,
	    "faktotum_job_run_seconds_bucket{jobtype=\"resize\",le=\"0.05\"} "
	    "1");
	has(m,
	    "faktotum_job_run_seconds_bucket{jobtype=\"resize\",le=\"21600\"} "
	    "1");
	has(m,
	    "faktotum_job_run_seconds_bucket{jobtype=\"resize\",le=\"+Inf\"} "
	    "2");
	has(m, "faktotum_job_run_seconds_count{jobtype=\"resize\"} 2");
	has(m, "faktotum_job_run_seconds_sum{jobtype=\"resize\"} 100000.02");
	metrics_free(m);
}

static void
a_wait_is_from_enqueued_at_and_never_negative(void **state)
{
	const int64_t then = 1767225600 * CLOCK_NS_PER_S; /* 2026-01-01 */
	struct metrics *m = sample(RESIZE);

	(void)state;
	clock_freeze(then + 7 * CLOCK_NS_PER_S, 0);
	metrics_started(m, &resize);
	clock_freeze(then - 7 * CLOCK_NS_PER_S, 0); /* the server's is ahead */
	metrics_started(m, &resize);
	metrics_started(m, &unknown); /* no enqueued_at: no wait */
	clock_release();
	has(m,
	    "faktotum_job_wait_seconds_bucket{jobtype=\"resize\",le=\"5\"} 1");
	has(m,
	    "faktotum_job_wait_seconds_bucket{jobtype=\"resize\",le=\"10\"} 2");
	has(m, "faktotum_job_wait_seconds_sum{jobtype=\"resize\"} 7");
	has(m, "faktotum_job_wait_seconds_count{jobtype=\"other\"} 0");
	metrics_free(m);
}

static void
strangers_are_other_and_ends_are_bounded(void **state)
{
	struct metrics *m = sample("jobs: {other: {exec: [/bin/true]}}\n");
	struct run_facts facts = { .started = true };

	(void)state;
	metrics_ended(m, &unknown, METRICS_REFUSED, NULL);
	for (int i = 0; i < 256; i++) {
		facts.status = i << 8;
		metrics_ended(m, &resize, METRICS_RETRY, &facts);
	}
	has(m, "faktotum_jobs_total{jobtype=\"other\",outcome=\"refused\"} 1");
	has(m, "faktotum_jobs_total{jobtype=\"other\",outcome=\"retry\"} 256");
	has(m, "faktotum_job_exits_total{jobtype=\"other\",status=\"23\"} 1");
	has(m,
	    "faktotum_job_exits_total{jobtype=\"other\",status=\"other\"} 232");
	char *page = page_of(m);
	assert_null(strstr(page, "nobody"));
	assert_null(strstr(page, "status=\"24\""));
	free(page);
	metrics_free(m);
}

static void
labels_are_escaped(void **state)
{
	struct metrics *m =
	    sample("jobs: {\"a\\\"b\\\\c\\nd\": {exec: [/bin/true]}}\n");

	(void)state;
	has(m, "faktotum_jobs_held{jobtype=\"a\\\"b\\\\c\\nd\"} 0");
	metrics_free(m);
}

static void
counters_survive_a_reload(void **state)
{
	struct metrics *m = sample(RESIZE);
	struct settings *next = good("jobs: {more: {exec: [/bin/true]}}\n");

	(void)state;
	metrics_ended(m, &resize, METRICS_DONE, NULL);
	metrics_know(m, next);
	metrics_know(m, next);
	settings_free(next);
	has(m, "faktotum_jobs_total{jobtype=\"resize\",outcome=\"done\"} 1");
	has(m, "faktotum_jobs_total{jobtype=\"more\",outcome=\"done\"} 0");
	metrics_free(m);
}

static void
the_moment_is_told(void **state)
{
	struct metrics *m = sample(RESIZE);

	(void)state;
	metrics_connected(m);
	has(m, "faktotum_reconnects_total 0");
	metrics_connected(m);
	has(m, "faktotum_reconnects_total 1");
	metrics_at_work(m, &resize, true);
	metrics_begin_work(m);
	metrics_at_work(m, &resize, true);
	metrics_at_work(m, &resize, false);
	metrics_line(m, &resize, false);
	metrics_line(m, &resize, true);
	has(m, "faktotum_jobs_running{jobtype=\"resize\"} 1");
	has(m, "faktotum_jobs_held{jobtype=\"resize\"} 1");
	has(m, "faktotum_output_lines_total{jobtype=\"resize\"} 2");
	has(m, "faktotum_output_lines_suppressed_total{jobtype=\"resize\"} 1");
	has(m, "faktotum_connected 1");
	has(m, "faktotum_ready 0");
	has(m, "faktotum_slots 7");
	has(m, "faktotum_outcomes_late_total 3");
	has(m, "faktotum_phase{phase=\"quiet\"} 1");
	has(m, "faktotum_phase{phase=\"running\"} 0");
	metrics_free(m);
}

static void
a_page_that_does_not_fit_is_an_error(void **state)
{
	const struct metrics_now now = { .phase = "running" };
	struct metrics *m = sample(RESIZE);
	struct buf *out = buf_new(1000);

	(void)state;
	assert_int_equal(metrics_put(m, &now, out), -ENOBUFS);
	buf_free(out);
	metrics_free(m);
}

static void
nobody_counts(void **state)
{
	(void)state;
	metrics_started(NULL, &resize);
	metrics_ended(NULL, &resize, METRICS_DONE, NULL);
	metrics_line(NULL, &resize, false);
	metrics_connected(NULL);
	metrics_begin_work(NULL);
	metrics_at_work(NULL, &resize, true);
	metrics_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_counted_once_in_each_place),
		cmocka_unit_test(a_wait_is_from_enqueued_at_and_never_negative),
		cmocka_unit_test(strangers_are_other_and_ends_are_bounded),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(counters_survive_a_reload),
		cmocka_unit_test(the_moment_is_told),
		cmocka_unit_test(a_page_that_does_not_fit_is_an_error),
		cmocka_unit_test(nobody_counts),
	};
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
