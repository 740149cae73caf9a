/*
 * Follow-up jobs are kept whole, told apart by their jids, and bounded; one
 * that cannot be pushed is remembered.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/followups.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/job.h"

static const struct followups_limits plenty = { 100, 1 << 20 };

static int
take(struct followups *f, const char *text,
    const struct followups_limits *limits)
{
	struct json job;

	assert_int_equal(json_check(text, strlen(text), &job, NULL), 0);
	return followups_take(f, &job, "worker-7", limits);
}

/* The i-th of the jobs that are kept. */
static struct job
job_at(const struct followups *f, size_t i, char text[4096])
{
	size_t len;
	const char *jobs = followups_jobs(f, &len);
	struct json array;
	struct job j;
	struct err e;

	int n = snprintf(text, 4096, "[%.*s]", (int)len, jobs);
	assert_int_equal(json_check(text, (size_t)n, &array, NULL), 0);
	struct json one = json_at(&array, i);
	assert_int_equal(job_read(&one, &j, &e), 0);
	return j;
}

static void
assert_jid(const struct followups *f, size_t i, const char *jid)
{
	char text[4096];
	struct job j = job_at(f, i, text);

	assert_int_equal(j.jid.len, strlen(jid));
	assert_memory_equal(j.jid.bytes, jid, j.jid.len);
	job_clear(&j);
}

/* Whatever a server would decide by itself is said, and nothing rewritten. */
static void
a_job_is_completed_and_its_values_stay(void **state)
{
	struct followups f = { 0 };
	char text[4096];

	(void)state;
	assert_int_equal(
	    take(&f,
		"{ \"jobtype\" : \"t\",\r \"args\":[1.0,9007199254740993] }",
		&plenty),
	    0);
	size_t len;
	const char *jobs = followups_jobs(&f, &len);
	assert_null(memchr(jobs, '\r', len));
	assert_non_null(memmem(jobs, len, "[1.0,9007199254740993]", 22));
	assert_non_null(memmem(jobs, len, "\"retry\":25", 10));
	assert_non_null(memmem(jobs, len, "\"queue\":\"default\"", 17));
	struct job j = job_at(&f, 0, text);
	assert_true(j.created_at.len > 0);
	job_clear(&j);
	followups_clear(&f);
}

static void
a_missing_jid_is_made_of_dispatch_and_place(void **state)
{
	struct followups f = { 0 };

	(void)state;
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &plenty), 0);
	assert_int_equal(
	    take(&f, "{\"jid\":\"its-own-1\",\"jobtype\":\"t\",\"args\":[]}",
		&plenty),
	    0);
	assert_int_equal(
	    take(&f, "{\"jid\":null,\"jobtype\":\"t\",\"args\":[]}", &plenty),
	    0);
	assert_int_equal(
	    take(&f, "{\"jid\":\"\",\"jobtype\":\"t\",\"args\":[]}", &plenty),
	    0);
	assert_jid(&f, 0, "worker-7-1");
	assert_jid(&f, 1, "its-own-1");
	assert_jid(&f, 2, "worker-7-3");
	assert_jid(&f, 3, "worker-7-4");
	assert_string_equal(f.why, "");
	followups_clear(&f);
}

static void
what_is_no_job_is_refused_and_the_first_reason_stays(void **state)
{
	struct followups f = { 0 };

	(void)state;
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &plenty), 0);
	assert_int_equal(take(&f, "{\"args\":[]}", &plenty), -EINVAL);
	assert_int_equal(take(&f, "{}", &plenty), -EINVAL);
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":1}", &plenty), -EINVAL);
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[],\"queue\":\"a b\"}",
		&plenty),
	    -EINVAL);
	assert_string_equal(
	    f.why, "follow-up job 2: jobs must have a jobtype parameter");
	assert_jid(&f, 0, "worker-7-1");
	followups_clear(&f);
}

static void
count_and_bytes_are_bounded(void **state)
{
	const struct followups_limits two = { 2, 1 << 20 }, small = { 9, 200 };
	struct followups f = { 0 };
	size_t len;

	(void)state;
	assert_int_equal(take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &two), 0);
	assert_int_equal(take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &two), 0);
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &two), -EINVAL);
	assert_string_equal(f.why, "follow-up job 3: more than push_max, 2");
	followups_clear(&f);

	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &small), 0);
	(void)followups_jobs(&f, &len);
	size_t before = len;
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &small), -EINVAL);
	(void)followups_jobs(&f, &len);
	assert_int_equal(len, before);
	assert_string_equal(
	    f.why, "follow-up job 2: all together exceed push_size");
	followups_clear(&f);
}

static void
a_successor_goes_on_counting(void **state)
{
	struct followups f = { 0 }, g = { 0 };
	struct buf *bytes = buf_new(1 << 20);
	struct state_writer w;
	struct state_reader r;

	(void)state;
	assert_int_equal(
	    take(&f, "{\"jobtype\":\"t\",\"args\":[]}", &plenty), 0);
	assert_int_equal(take(&f, "{}", &plenty), -EINVAL);
	assert_int_equal(state_writer_init(&w, 1 << 20), 0);
	followups_save(&f, &w);
	assert_int_equal(state_seal(&w, 1, bytes), 0);
	assert_int_equal(
	    state_open(&r, buf_front(bytes), buf_len(bytes), 1), 0);
	followups_load(&g, &r);
	assert_false(r.failed);
	assert_string_equal(g.why, f.why);
	assert_int_equal(
	    take(&g, "{\"jobtype\":\"t\",\"args\":[]}", &plenty), 0);
	assert_jid(&g, 0, "worker-7-1");
	assert_jid(&g, 1, "worker-7-3");
	state_writer_clear(&w);
	buf_free(bytes);
	followups_clear(&f);
	followups_clear(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_completed_and_its_values_stay),
		cmocka_unit_test(a_missing_jid_is_made_of_dispatch_and_place),
		cmocka_unit_test(
		    what_is_no_job_is_refused_and_the_first_reason_stays),
		cmocka_unit_test(count_and_bytes_are_bounded),
		cmocka_unit_test(a_successor_goes_on_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
