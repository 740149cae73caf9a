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

static void
play_with_kin(struct scene *s)
{
	start(s);
	ev_run(loop, 0);
	assert_int_equal(s->done, 1);
}

static int
kin_set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	spawner = spawner_new(loop);
	kin = kin_new();
	return loop != NULL && spawner != NULL && kin != NULL ? 0 : -1;
}

static int
kin_tear_down(void **state)
{
	(void)state;
	spawner_free(spawner);
	kin_free(kin);
	ev_loop_destroy(loop);
	return 0;
}

#endif
