/*
 * invocation_sample - one handler, one job, and the invocation made of them.
 *
 * For the tests of supervisor/invocation and arguments.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_INVOCATION_SAMPLE_H
#define TESTS_UNIT_INVOCATION_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "supervisor/invocation.h"

enum { ARGV_MAX = 8 };

static inline const char *
lookup(const char *name)
{
	if (strcmp(name, "PASSED") == 0)
		return "as it is";
	if (strcmp(name, "FAKTORY_URL") == 0)
		return "tcp://:secret@host";
	return NULL;
}

/* One handler, one job, one invocation. */
struct sample {
	struct handler how;
	struct template *argv[ARGV_MAX];
	struct env_setting env[2];
	struct environment base;
	struct job job;
	struct invocation v;
	struct err e;
};

static char program[] = "/bin/prog", jobtype[] = "resize";

static inline void
set_up(struct sample *s, const char *const *words, const char *json)
{
	struct err e;

	memset(s, 0, sizeof *s);
	s->how = (struct handler){ .jobtype = jobtype,
		.program = program,
		.argv = s->argv,
		.input = INPUT_JOB,
		.umask = 022 };
	for (; words[s->how.nargv] != NULL; s->how.nargv++) {
		s->argv[s->how.nargv] = template_parse(words[s->how.nargv], &e);
		assert_non_null(s->argv[s->how.nargv]);
	}
	assert_int_equal(environment_set(&s->base, "PATH", "/bin", 4, NULL), 0);
	if (job_parse(json, strlen(json), &s->job, &e) < 0)
		fail_msg("%s", e.text);
}

static inline int
make(struct sample *s)
{
	const struct invocation_request q = { .handler = &s->how,
		.job = &s->job,
		.base = &s->base,
		.dispatch_id = "wid-7",
		.tmpdir = "/tmp/private",
		.deadline = 1700000000 * CLOCK_NS_PER_S,
		.timeout = 90 * CLOCK_NS_PER_S,
		.lookup = lookup };

	return invocation_make(&s->v, &q, &s->e);
}

static inline void
tear_down(struct sample *s)
{
	for (size_t i = 0; i < s->how.nargv; i++)
		template_free(s->argv[i]);
	for (size_t i = 0; i < s->how.nenv; i++)
		template_free(s->env[i].value);
	environment_clear(&s->base);
	job_clear(&s->job);
	invocation_clear(&s->v);
}

#define JOB(rest)                                                              \
	"{\"jid\":\"abcdefgh\",\"jobtype\":\"resize\",\"queue\":\"q\"," rest "}"

#endif
