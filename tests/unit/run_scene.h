/*
 * run_scene - one run and all that it told, for the tests of handlers/run.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_RUN_SCENE_H
#define TESTS_UNIT_RUN_SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "handlers/run.h"
#include "tests/unit/descriptors.h"

#define SECONDS(n) ((n)*CLOCK_NS_PER_S)

enum { KEPT = 8192 };

static struct ev_loop *loop;
static struct spawner *spawner;

/* One run and all that it told. */
struct scene {
	char words[6][512];
	char *argv[7];
	struct run_request req;
	struct run *run;
	/* What to do at the first line of output. */
	void (*at_line)(struct scene *s);

	size_t lines[2], bytes[2], unfinished[2], longest;
	char said[KEPT];    /* on the control descriptor, likewise */
	char text[2][KEPT]; /* the first lines, each ended by '\n' */
	int done;
	struct run_facts facts;
	char tail[RUN_TAIL_MAX + 1];
	int64_t began, took;
};

static void
on_line(
    void *ctx, enum run_stream stream, const char *bytes, size_t len, bool more)
{
	struct scene *s = ctx;
	size_t used = strlen(s->text[stream]);

	assert_int_equal(s->done, 0);
	s->bytes[stream] += len;
	s->lines[stream] += more ? 0 : 1;
	s->unfinished[stream] += more ? 1 : 0;
	if (len > s->longest)
		s->longest = len;
	snprintf(s->text[stream] + used, KEPT - used, "%.*s%s", (int)len, bytes,
	    more ? "" : "\n");
	if (s->at_line != NULL) {
		void (*act)(struct scene *) = s->at_line;
		s->at_line = NULL;
		act(s);
	}
}

static void
on_message(void *ctx, const char *bytes, size_t len, bool more)
{
	struct scene *s = ctx;
	size_t used = strlen(s->said);

	assert_int_equal(s->done, 0);
	snprintf(s->said + used, KEPT - used, "%.*s%s", (int)len, bytes,
	    more ? "+" : "\n");
}

static void
on_done(void *ctx, const struct run_facts *facts)
{
	struct scene *s = ctx;

	s->done++;
	s->facts = *facts;
	s->took = clock_mono() - s->began;
	assert_true(facts->tail_len <= RUN_TAIL_MAX);
	if (facts->tail_len > 0)
		memcpy(s->tail, facts->tail, facts->tail_len);
	s->facts.tail = s->tail;
}

static const struct run_hooks hooks = {
	.line = on_line, .message = on_message, .done = on_done
};
static char *const env[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };

static void
build_path(char *path, size_t size, const char *program)
{
	const char *build = getenv("FAKTOTUM_BUILD");
	char here[256];

	if (program[0] == '/') {
		snprintf(path, size, "%s", program);
		return;
	}
	assert_non_null(getcwd(here, sizeof here));
	snprintf(path, size, "%s/tests/handlers/%s", here, program);
	if (access(path, X_OK) == 0)
		return;
	if (build != NULL && build[0] == '/')
		snprintf(path, size, "%s/tests/handlers/%s", build, program);
	else
		snprintf(path, size, "%s/%s/tests/handlers/%s", here,
		    build != NULL ? build : "build", program);
}

/* A program of tests/handlers or an absolute path; words ended by NULL. */
static struct scene *
scene(const char *program, ...)
{
	struct scene *s = calloc(1, sizeof *s);
	va_list more;
	size_t n = 1;

	assert_non_null(s);
	build_path(s->words[0], sizeof s->words[0], program);
	s->argv[0] = s->words[0];
	va_start(more, program);
	const char *w;
	while ((w = va_arg(more, const char *)) != NULL) {
		snprintf(s->words[n], sizeof s->words[n], "%s", w);
		s->argv[n] = s->words[n];
		n++;
	}
	va_end(more);
	s->began = clock_mono();
	s->req = (struct run_request){
		.spawn = { .path = s->words[0],
		    .argv = s->argv,
		    .env = env,
		    .workdir = "/",
		    .mask = 022 },
		.deadline = s->began + SECONDS(60),
		.grace = SECONDS(30),
	};
	return s;
}

static void
start(struct scene *s)
{
	s->began = clock_mono();
	s->run = run_start(loop, spawner, &s->req, &hooks, s);
	assert_non_null(s->run);
	assert_int_equal(run_pid(s->run), 0);
	assert_int_equal(s->done, 0);
}

/* The loop ends by itself when nothing of ours is active any more. */
__attribute__((unused)) static void
play(struct scene *s)
{
	start(s);
	ev_run(loop, 0);
	assert_int_equal(s->done, 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
exits_with(const struct scene *s, int code)
{
	assert_true(s->facts.started);
	assert_true(WIFEXITED(s->facts.status));
	assert_int_equal(WEXITSTATUS(s->facts.status), code);
	assert_int_equal(s->facts.reason, RUN_BY_ITSELF);
	assert_false(s->facts.killed);
	assert_false(s->facts.held_open);
}

static void
killed_by(const struct scene *s, int sig)
{
	assert_true(WIFSIGNALED(s->facts.status));
	assert_int_equal(WTERMSIG(s->facts.status), sig);
}

/* Neither gone nor a zombie, of ours or of init. */
static bool
is_alive(pid_t pid)
{
	char path[64], stat[256];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	size_t n = fread(stat, 1, sizeof stat - 1, f);
	fclose(f);
	stat[n] = '\0';
	const char *state = strrchr(stat, ')');
	return state != NULL && state[2] != 'Z' && state[2] != 'X';
}

/* Killed processes take a moment. */
__attribute__((unused)) static void
assert_dies(pid_t pid)
{
	for (int i = 0; i < 40000; i++, usleep(1000))
		if (!is_alive(pid))
			return;
	fail_msg("process %d is still alive", (int)pid);
}

/* ---- a loop and a spawner for each test ----------------------------------- */

static size_t descriptors_before;

static int
begin(void **state)
{
	(void)state;
	descriptors_before = open_descriptors();
	loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	spawner = loop != NULL ? spawner_new(loop) : NULL;
	return spawner != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	spawner_free(spawner);
	ev_loop_destroy(loop);
	return 0;
}

/* And every descriptor is closed again. */
__attribute__((unused)) static int
end_with_none_left(void **state)
{
	return end(state) == 0 && open_descriptors() == descriptors_before ? 0
									   : -1;
}

#define RUN_TEST(name)                                                         \
	cmocka_unit_test_setup_teardown(name, begin, end_with_none_left)

#endif
