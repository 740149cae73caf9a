/*
 * kin_scene - runs whose whole tree is known, for the tests of handlers/kin
 * and handlers/cgroup.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_KIN_SCENE_H
#define TESTS_UNIT_KIN_SCENE_H

#include "handlers/kin.h"
#include "tests/unit/run_scene.h"

static struct kin *kin;

/* A run of this shell text. */
static struct scene *
kin_shell(const char *text)
{
	struct scene *s = scene("/bin/sh", "-c", text, NULL);

	s->req.kin = kin;
	return s;
}

/* Whoever owns the process reaps what it adopted; here that is the test. */
static void
reap_adopted(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Seconds: far above what any of them needs on a slow machine. */
#define KIN_LIMIT 60.

static void
on_kin_limit(struct ev_loop *l, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_ref(l);
	ev_break(l, EVBREAK_ALL);
}

/* A run that never ends has failed: it does not hang the test. */
static void
play_with_kin(struct scene *s)
{
	ev_timer limit;

	ev_timer_init(&limit, on_kin_limit, KIN_LIMIT, 0.);
	start(s);
	ev_now_update(loop);
	ev_timer_start(loop, &limit);
	ev_unref(loop); /* it keeps no loop running */
	ev_run(loop, 0);
	if (ev_is_active(&limit)) {
		ev_ref(loop);
		ev_timer_stop(loop, &limit);
	}
	assert_int_equal(s->done, 1);
}

static int
kin_set_up(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	kin = kin_new();
	return begin(state) == 0 && kin != NULL ? 0 : -1;
}

static int
kin_tear_down(void **state)
{
	int r = end(state);

	kin_free(kin);
	return r;
}

#endif
