/*
 * Crashes are counted by job, exactly for those seen here and from the
 * server's record for the others, and the memory of them is bounded.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/crashes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One crash of a job with so many failures, the last of this errtype. */
static bool
buried(struct crashes *c, const char *jid, int failures, const char *errtype)
{
	const struct run_facts facts = { .started = true, .status = SIGSEGV };
	struct verdict v = { .kind = VERDICT_RETRY, .errtype = "Signal" };
	char text[512];
	struct job job;
	struct err e;

	if (failures == 0)
		snprintf(text, sizeof text, "{\"jid\":\"%s\"}", jid);
	else
		snprintf(text, sizeof text,
		    "{\"jid\":\"%s\",\"failure\":{\"retry_count\":%d,"
		    "\"errtype\":\"%s\"}}",
		    jid, failures - 1, errtype);
	assert_int_equal(job_parse(text, strlen(text), &job, &e), 0);
	crashes_judge(c, &job, 3, &facts, &v);
	job_clear(&job);
	assert_string_equal(v.errtype, "Signal");
	assert_int_equal(
	    v.kind == VERDICT_DEAD, strstr(v.message, "crash_limit 3") != NULL);
	return v.kind == VERDICT_DEAD;
}

static void
what_is_seen_here_is_counted_exactly(void **state)
{
	static struct crashes c;

	(void)state;
	assert_false(buried(&c, "a", 0, NULL));
	assert_false(buried(&c, "b", 0, NULL));
	assert_false(buried(&c, "a", 1, "Signal"));
	/* An ExitStatus elsewhere, then a crash here: the third crash. */
	assert_true(buried(&c, "a", 3, "ExitStatus"));
	assert_false(buried(&c, "b", 1, "Signal"));
	/* The same jid pushed anew begins anew. */
	assert_false(buried(&c, "b", 0, NULL));
	crashes_clear(&c);
}

static void
what_happened_elsewhere_counts_by_the_record(void **state)
{
	static struct crashes c;

	(void)state;
	assert_true(buried(&c, "a", 2, "Signal"));
	assert_false(buried(&c, "b", 20, "ExitStatus"));
	assert_false(buried(&c, "c", 1, "Signal"));
	assert_true(buried(&c, "c", 2, "Signal"));
	crashes_clear(&c);
}

static void
the_oldest_is_forgotten(void **state)
{
	static struct crashes c;
	char jid[32];

	(void)state;
	assert_false(buried(&c, "first", 0, NULL));
	for (int i = 0; i < CRASHES_MAX; i++) {
		snprintf(jid, sizeof jid, "j%d", i);
		assert_false(buried(&c, jid, 0, NULL));
	}
	assert_int_equal(c.count, CRASHES_MAX);
	/* 1, though it would be the second. */
	assert_false(buried(&c, "first", 5, "E"));
	assert_false(buried(&c, "first", 7, "E"));
	assert_true(buried(&c, "first", 9, "E"));
	crashes_clear(&c);
}

static void
it_survives_its_process(void **state)
{
	static struct crashes c, d;
	struct state_writer w;
	struct state_reader r;
	struct buf *out = buf_new(1 << 20);

	(void)state;
	buried(&c, "a", 0, NULL);
	buried(&c, "a", 2, "E");
	buried(&c, "b", 0, NULL);
	assert_int_equal(state_writer_init(&w, 1 << 20), 0);
	crashes_save(&c, &w);
	assert_int_equal(state_seal(&w, 1, out), 0);
	assert_int_equal(state_open(&r, buf_front(out), buf_len(out), 1), 0);
	crashes_load(&d, &r);
	assert_false(r.failed);
	assert_false(buried(&d, "b", 2, "E"));
	assert_true(buried(&d, "a", 4, "E"));
	state_writer_clear(&w);
	buf_free(out);
	crashes_clear(&c);
	crashes_clear(&d);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_seen_here_is_counted_exactly),
		cmocka_unit_test(what_happened_elsewhere_counts_by_the_record),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(it_survives_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
