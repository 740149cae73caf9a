/*
 * The end comes in order: quiet, drain, stop, kill, report; a signal can make
 * it sooner, and none can make it skip the report.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/lifecycle.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

struct sample {
	struct ev_loop *loop;
	struct lifecycle *life;
	bool work, outcomes;
	enum lifecycle_phase phases[8];
	size_t n;
	int reloads;
};

static void
on_entered(void *ctx, enum lifecycle_phase phase)
{
	struct sample *s = ctx;

	assert_true(s->n < 8);
	s->phases[s->n++] = phase;
	if (phase == LIFECYCLE_OVER)
		ev_break(s->loop, EVBREAK_ALL);
}

static bool
on_work(void *ctx)
{
	return ((struct sample *)ctx)->work;
}

static bool
on_outcomes(void *ctx)
{
	return ((struct sample *)ctx)->outcomes;
}

static void
on_reload(void *ctx)
{
	((struct sample *)ctx)->reloads++;
}

static const struct lifecycle_hooks hooks = { on_entered, on_work, on_outcomes,
	NULL, on_reload, on_reload };

static void
set_up(struct sample *s, int64_t drain_ms)
{
	const struct lifecycle_times times = { .drain =
						   drain_ms * CLOCK_NS_PER_MS };

	memset(s, 0, sizeof *s);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->life = lifecycle_new(s->loop, &times, &hooks, s);
	s->work = true;
	s->outcomes = true;
}

static void
tear_down(struct sample *s)
{
	lifecycle_free(s->life);
	ev_loop_destroy(s->loop);
}

/* A signal, and the loop's turn to hear of it. */
static void
send_signal(struct sample *s, int signum)
{
	raise(signum);
	ev_run(s->loop, EVRUN_NOWAIT);
}

static void
went_through(const struct sample *s, size_t n, const enum lifecycle_phase *want)
{
	assert_int_equal(s->n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s->phases[i], want[i]);
}

#define WENT_THROUGH(s, ...)                                                   \
	went_through((s),                                                      \
	    sizeof((enum lifecycle_phase[]){ __VA_ARGS__ }) /                  \
		sizeof(enum lifecycle_phase),                                  \
	    (enum lifecycle_phase[]){ __VA_ARGS__ })

static void
a_drained_worker_reports_and_is_over(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sample s;

		set_up(&s, 3600 * 1000);
		send_signal(&s, signals[i]);
		WENT_THROUGH(&s, LIFECYCLE_DRAINING);
		lifecycle_check(s.life);
		WENT_THROUGH(&s, LIFECYCLE_DRAINING);
		s.work = false;
		lifecycle_check(s.life);
		WENT_THROUGH(&s, LIFECYCLE_DRAINING, LIFECYCLE_REPORTING);
		s.outcomes = false;
		lifecycle_check(s.life);
		WENT_THROUGH(&s, LIFECYCLE_DRAINING, LIFECYCLE_REPORTING,
		    LIFECYCLE_OVER);
		tear_down(&s);
	}
}

static void
each_further_signal_shortens_but_never_skips_the_report(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 3600 * 1000);
	send_signal(&s, SIGTERM);
	send_signal(&s, SIGTERM);
	WENT_THROUGH(&s, LIFECYCLE_DRAINING, LIFECYCLE_STOPPING);
	send_signal(&s, SIGINT);
	WENT_THROUGH(
	    &s, LIFECYCLE_DRAINING, LIFECYCLE_STOPPING, LIFECYCLE_KILLING);
	send_signal(&s, SIGTERM);
	assert_int_equal(lifecycle_phase(s.life), LIFECYCLE_KILLING);
	s.work = false;
	lifecycle_check(s.life);
	send_signal(&s, SIGTERM);
	assert_int_equal(lifecycle_phase(s.life), LIFECYCLE_REPORTING);
	tear_down(&s);
}

static void
the_grace_ends_by_itself(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 10);
	lifecycle_terminate(s.life);
	while (s.n < 2)
		ev_run(s.loop, EVRUN_ONCE);
	WENT_THROUGH(&s, LIFECYCLE_DRAINING, LIFECYCLE_STOPPING);
	tear_down(&s);
}

static void
quiet_goes_on_until_told_otherwise(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 3600 * 1000);
	s.work = s.outcomes = false;
	send_signal(&s, SIGTSTP);
	lifecycle_quiet(s.life, QUIET_BY_OPERATOR);
	lifecycle_check(s.life);
	WENT_THROUGH(&s, LIFECYCLE_QUIET);
	assert_int_equal(lifecycle_quiet_by(s.life), QUIET_BY_OPERATOR);
	lifecycle_terminate(s.life);
	WENT_THROUGH(&s, LIFECYCLE_QUIET, LIFECYCLE_DRAINING,
	    LIFECYCLE_REPORTING, LIFECYCLE_OVER);
	lifecycle_quiet(s.life, QUIET_BY_SERVER);
	lifecycle_terminate(s.life);
	assert_int_equal(lifecycle_unquiet(s.life), -ESHUTDOWN);
	assert_int_equal(s.n, 4);
	tear_down(&s);
}

static void
the_operator_takes_back_what_the_operator_said(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 3600 * 1000);
	assert_int_equal(lifecycle_unquiet(s.life), -EALREADY);
	lifecycle_quiet(s.life, QUIET_BY_OPERATOR);
	assert_int_equal(lifecycle_unquiet(s.life), 0);
	lifecycle_quiet(s.life, QUIET_TO_THE_END);
	assert_int_equal(lifecycle_unquiet(s.life), 0);
	s.work = s.outcomes = false;
	lifecycle_check(s.life);
	WENT_THROUGH(&s, LIFECYCLE_QUIET, LIFECYCLE_RUNNING, LIFECYCLE_QUIET,
	    LIFECYCLE_RUNNING);
	assert_int_equal(lifecycle_quiet_by(s.life), 0);
	tear_down(&s);
}

static void
what_the_server_said_stays(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 3600 * 1000);
	lifecycle_quiet(s.life, QUIET_BY_OPERATOR);
	lifecycle_quiet(s.life, QUIET_BY_SERVER);
	WENT_THROUGH(&s, LIFECYCLE_QUIET, LIFECYCLE_QUIET);
	assert_int_equal(lifecycle_unquiet(s.life), -EPERM);
	assert_int_equal(
	    lifecycle_quiet_by(s.life), QUIET_BY_OPERATOR | QUIET_BY_SERVER);
	assert_int_equal(lifecycle_phase(s.life), LIFECYCLE_QUIET);
	assert_int_equal(s.n, 2);
	tear_down(&s);
}

static void
a_drain_waits_for_the_work_and_has_no_grace(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 0);
	lifecycle_quiet(s.life, QUIET_TO_THE_END);
	for (int i = 0; i < 5; i++) {
		lifecycle_check(s.life);
		ev_run(s.loop, EVRUN_NOWAIT);
	}
	WENT_THROUGH(&s, LIFECYCLE_QUIET);
	s.work = false;
	lifecycle_check(s.life);
	WENT_THROUGH(
	    &s, LIFECYCLE_QUIET, LIFECYCLE_DRAINING, LIFECYCLE_REPORTING);
	s.outcomes = false;
	lifecycle_check(s.life);
	assert_int_equal(lifecycle_phase(s.life), LIFECYCLE_OVER);
	tear_down(&s);
}

static void
other_signals_change_nothing(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s, 3600 * 1000);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	send_signal(&s, SIGHUP);
	assert_int_equal(s.reloads, 1);
	send_signal(&s, SIGUSR1);
	send_signal(&s, SIGUSR2);
	assert_int_equal(s.reloads, 2);
	assert_int_equal(lifecycle_phase(s.life), LIFECYCLE_RUNNING);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drained_worker_reports_and_is_over),
		cmocka_unit_test(
		    each_further_signal_shortens_but_never_skips_the_report),
		cmocka_unit_test(the_grace_ends_by_itself),
		cmocka_unit_test(quiet_goes_on_until_told_otherwise),
		cmocka_unit_test(
		    the_operator_takes_back_what_the_operator_said),
		cmocka_unit_test(what_the_server_said_stays),
		cmocka_unit_test(a_drain_waits_for_the_work_and_has_no_grace),
		cmocka_unit_test(other_signals_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
