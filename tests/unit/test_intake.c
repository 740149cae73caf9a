/*
 * A store is filled in one transaction or not at all, once, and only when it
 * was empty, unless more is asked for.
 *
 * SPDX-License-Identifier: ISC
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/store/store.h"
#include "tests/unit/storedir.h"

static struct store_intake *
opened(const struct storedir *d, const char *source, bool merge)
{
	struct err e = { .code = 0 };
	struct store_intake *in = store_intake_open(d->path, source, merge, &e);

	if (in == NULL)
		fail_msg("%s: %s", source, e.text);
	return in;
}

static void
add_job(struct store_intake *in, enum job_state where, const char *queue)
{
	const struct store_job job = { .state = where,
		.retry_count = -1,
		.jid = "abcdefgh",
		.jobtype = "t",
		.queue = queue,
		.payload = "{}",
		.payload_len = 2 };
	struct err e;

	assert_int_equal(store_intake_job(in, &job, &e), 0);
}

static void
commit(struct store_intake *in)
{
	struct err e;

	assert_int_equal(store_intake_commit(in, &e), 0);
	store_intake_free(in);
}

static void
refused(const struct storedir *d, const char *source, bool merge, int code,
    const char *why)
{
	struct err e = { .code = 0 };

	assert_null(store_intake_open(d->path, source, merge, &e));
	assert_int_equal(e.code, code);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
}

static void
nothing_is_kept_without_a_commit(void **state)
{
	struct storedir d;
	struct err e;

	(void)state;
	storedir_make(&d);
	struct store_intake *in = opened(&d, "a", false);
	add_job(in, JOB_QUEUED, "q");
	assert_int_equal(store_intake_queue(in, "q", true, &e), 0);
	store_intake_free(in);
	assert_int_equal(storedir_ask(&d,
			     "SELECT (SELECT count(*) FROM jobs) +"
			     " (SELECT count(*) FROM queues) +"
			     " (SELECT count(*) FROM counters)"),
	    0);

	/* So it can be done again. */
	in = opened(&d, "a", false);
	add_job(in, JOB_QUEUED, "q");
	commit(in);
	assert_int_equal(storedir_ask(&d, "SELECT count(*) FROM jobs"), 1);
	assert_int_equal(storedir_ask(&d, "SELECT count(*) FROM counters"), 1);
	storedir_remove(&d);
}

static void
it_is_done_once(void **state)
{
	struct storedir d;

	(void)state;
	storedir_make(&d);
	commit(opened(&d, "a", false));
	refused(&d, "a", false, EEXIST, "a was imported into it at 2");
	refused(&d, "b", false, EEXIST, "a was imported into it at 2");
	refused(&d, "a", true, EEXIST, "a was imported into it at 2");
	commit(opened(&d, "b", true));
	refused(&d, "b", true, EEXIST, "b was imported into it at 2");
	storedir_remove(&d);
}

static void
what_is_not_empty_or_in_use_is_refused(void **state)
{
	struct storedir d;

	(void)state;
	storedir_make(&d);
	struct store_intake *in = opened(&d, "a", false);
	refused(&d, "b", false, EBUSY, d.path);
	store_intake_free(in);
	storedir_run(&d, "INSERT INTO queues VALUES ('q', 0)");
	refused(&d, "a", false, EEXIST, "not empty");
	storedir_remove(&d);
}

/* What it adds stands behind what was there, and sums are sums. */
static void
merging_adds(void **state)
{
	struct storedir d;
	struct err e;

	(void)state;
	storedir_make(&d);
	struct store_intake *in = opened(&d, "a", false);
	add_job(in, JOB_QUEUED, "q");
	assert_int_equal(store_intake_queue(in, "q", true, &e), 0);
	assert_int_equal(store_intake_counter(in, "processed", 5, &e), 0);
	commit(in);
	storedir_run(&d, "UPDATE jobs SET seq = 40");

	in = opened(&d, "b", true);
	add_job(in, JOB_QUEUED, "q");
	assert_int_equal(store_intake_queue(in, "q", false, &e), 0);
	assert_int_equal(store_intake_counter(in, "processed", 6, &e), 0);
	commit(in);
	assert_int_equal(
	    storedir_ask(&d, "SELECT max(seq) * 1000 + max(id) FROM jobs"),
	    41041);
	assert_int_equal(storedir_ask(&d, "SELECT paused FROM queues"), 1);
	assert_int_equal(storedir_ask(&d,
			     "SELECT value FROM counters"
			     " WHERE name = 'processed'"),
	    11);
	storedir_remove(&d);
}

static void
note_count(void *ctx, enum job_state state, const char *queue, int64_t jobs)
{
	char *text = ctx;
	size_t n = strlen(text);

	snprintf(text + n, 200 - n, "%d %s %d;", (int)state,
	    queue != NULL ? queue : "-", (int)jobs);
}

static void
counts_are_of_what_was_added(void **state)
{
	struct storedir d;
	char text[200] = "";
	struct err e;

	(void)state;
	storedir_make(&d);
	struct store_intake *in = opened(&d, "a", false);
	add_job(in, JOB_QUEUED, "q");
	commit(in);
	in = opened(&d, "b", true);
	add_job(in, JOB_DEAD, "q");
	add_job(in, JOB_QUEUED, "q");
	add_job(in, JOB_QUEUED, "Q");
	add_job(in, JOB_QUEUED, "q");
	add_job(in, JOB_DEAD, "p");
	assert_int_equal(store_intake_counts(in, note_count, text, &e), 0);
	assert_string_equal(text, "1 Q 1;1 q 2;5 - 2;");
	store_intake_free(in);
	storedir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_kept_without_a_commit),
		cmocka_unit_test(it_is_done_once),
		cmocka_unit_test(what_is_not_empty_or_in_use_is_refused),
		cmocka_unit_test(merging_adds),
		cmocka_unit_test(counts_are_of_what_was_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
