/*
 * What a stock server left in its Redis becomes the row that our server would
 * have made of it: each state, both ages of a job, the time it waited for; and
 * what is no job is refused with the reason.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/stock_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795628161692000000)
#define DUE INT64_C(1795555555250000000)

#define FAILURE                                                                \
	"{\"retry_count\":1,\"remaining\":3,"                                  \
	"\"failed_at\":\"2026-11-24T00:00:00Z\",\"errtype\":\"E\","            \
	"\"message\":\"m\",\"backtrace\":[\"a\"]}"
#define HEAD                                                                   \
	"{\"jid\":\"abcdefgh\",\"jobtype\":\"t\",\"args\":[1.0,"               \
	"9007199254740993]"

static struct stock_job *reader;

static int
make(void **state)
{
	(void)state;
	reader = stock_job_new();
	return reader == NULL ? -1 : 0;
}

static int
unmake(void **state)
{
	(void)state;
	stock_job_free(reader);
	return 0;
}

static struct store_job *
row_of(enum job_state where, const char *queue, int64_t due, const char *text)
{
	struct err e;
	struct store_job *row = stock_job_read(
	    reader, where, queue, due, text, strlen(text), NOW, &e);

	if (row == NULL)
		fail_msg("%s: %s", text, e.text);
	return row;
}

static void
payload_is(const struct store_job *row, const char *want)
{
	assert_int_equal(row->payload_len, strlen(want));
	assert_memory_equal(row->payload, want, row->payload_len);
}

static void
queued_job_keeps_its_bytes_and_its_age(void **state)
{
	struct store_job *row = row_of(JOB_QUEUED, "mail", 0,
	    HEAD ",\"queue\":\"mail\",\"retry\":-1,"
		 "\"created_at\":\"2026-01-01T00:00:00Z\","
		 "\"enqueued_at\":\"2026-11-25T00:00:00.5Z\"}");

	(void)state;
	payload_is(row,
	    HEAD ",\"queue\":\"mail\",\"retry\":-1,"
		 "\"created_at\":\"2026-01-01T00:00:00Z\"}");
	assert_string_equal(row->jid, "abcdefgh");
	assert_string_equal(row->jobtype, "t");
	assert_string_equal(row->queue, "mail");
	assert_true(row->state == JOB_QUEUED && row->due == 0);
	assert_true(row->enqueued_at == INT64_C(1795564800500000000));
	assert_true(row->retry == -1 && row->retry_count == -1);
	assert_true(row->reserve_for == 1800 && row->reserved_at == 0);
	assert_true(row->wid == NULL && row->failure == NULL);
}

/* Workers fetch from the list, whatever the job itself says. */
static void
list_says_which_queue_it_is(void **state)
{
	(void)state;
	assert_string_equal(
	    row_of(JOB_QUEUED, "here", 0, HEAD ",\"queue\":\"there\"}")->queue,
	    "here");
	assert_string_equal(
	    row_of(JOB_DEAD, NULL, DUE, HEAD ",\"queue\":\"there\"}")->queue,
	    "there");
	assert_string_equal(
	    row_of(JOB_DEAD, NULL, DUE, HEAD "}")->queue, "default");
}

/* A score has steps of 240 ns; a job that was moved has another one. */
static void
scheduled_job_is_due_when_it_says_unless_it_was_moved(void **state)
{
	const char *job = HEAD ",\"at\":\"2026-11-24T21:25:55.250000123Z\"}";

	(void)state;
	assert_true(row_of(JOB_SCHEDULED, NULL, DUE, job)->due == DUE + 123);
	assert_true(row_of(JOB_SCHEDULED, NULL, DUE + 2000000000, job)->due ==
	    DUE + 2000000000);
}

static void
retry_remembers_its_failure(void **state)
{
	struct store_job *row =
	    row_of(JOB_RETRY, NULL, DUE, HEAD ",\"failure\":" FAILURE "}");

	(void)state;
	assert_true(row->state == JOB_RETRY && row->due == DUE);
	assert_int_equal(row->retry_count, 1);
	assert_string_equal(row->failed_at, "2026-11-24T00:00:00Z");
	assert_int_equal(row->failure_len, strlen(FAILURE));
	assert_memory_equal(row->failure, FAILURE, row->failure_len);
	assert_null(memmem(row->payload, row->payload_len, "failure", 7));
}

static void
reservation_names_its_worker(void **state)
{
	struct store_job *row = row_of(JOB_RESERVED, NULL, DUE,
	    "{\"job\":" HEAD ",\"reserve_for\":90},"
	    "\"reserved_at\":\"2026-11-25T00:00:00Z\","
	    "\"expires_at\":\"2026-11-25T00:30:00Z\",\"wid\":\"w\\u00e9\"}");

	(void)state;
	assert_string_equal(row->jid, "abcdefgh");
	assert_string_equal(row->wid, "wé");
	assert_true(row->due == DUE && row->reserve_for == 90);
	assert_true(row->reserved_at == INT64_C(1795564800000000000));

	/* The next one has nothing of it. */
	row = row_of(JOB_RESERVED, NULL, DUE, "{\"job\":" HEAD "}}");
	assert_true(row->wid[0] == '\0' && row->reserved_at == 0);
}

static void
what_is_no_job_is_refused_with_the_reason(void **state)
{
	static const struct {
		enum job_state where;
		const char *text, *reason;
	} bad[] = {
		{ JOB_QUEUED, "", "invalid JSON" },
		{ JOB_QUEUED, "nonsense", "invalid JSON" },
		{ JOB_QUEUED, "[]", "object" },
		{ JOB_QUEUED, "{\"jid\":\"short\"}", "jid" },
		{ JOB_QUEUED, "{\"jid\":\"abcdefgh\",\"args\":[]}", "jobtype" },
		{ JOB_QUEUED, "{\"jid\":\"abcdefgh\",\"jobtype\":\"t\"}",
		    "args" },
		{ JOB_DEAD, HEAD ",\"queue\":\"a b\"}", "queue" },
		{ JOB_SCHEDULED, HEAD ",\"at\":\"tomorrow\"}", "timestamp" },
		{ JOB_RESERVED, HEAD "}", "reservation" },
		{ JOB_RESERVED, "{\"job\":[]}", "reservation" },
		{ JOB_RESERVED, "{\"job\":{\"jid\":\"short\"}}", "jid" },
		{ JOB_RESERVED, "{\"job\":" HEAD "},\"wid\":\"a\\u0000\"}",
		    "wid" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { .code = 0 };

		if (stock_job_read(reader, bad[i].where, NULL, DUE, bad[i].text,
			strlen(bad[i].text), NOW, &e) != NULL)
			fail_msg("%s: was taken", bad[i].text);
		assert_int_equal(e.code, EINVAL);
		if (strcasestr(e.text, bad[i].reason) == NULL)
			fail_msg("%s: %s", bad[i].text, e.text);
	}
}

static void
score_is_a_moment(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "1795555555.25", DUE },
		{ "1795555555.5", DUE + 250000000 },
		{ "1.79555555525e+9", DUE },
		{ "9200000000", INT64_C(9200000000000000000) },
	};
	static const char *const bad[] = { "", "-1", "inf", "-inf", "nan",
		"1e400", "9300000000", " 1", "1 ", "0x10", "1,5", "x" };
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(
		    stock_score(good[i].text, strlen(good[i].text), &ns), 0);
		if (ns != good[i].ns)
			fail_msg("%s: %lld", good[i].text, (long long)ns);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (stock_score(bad[i], strlen(bad[i]), &ns) != -EINVAL)
			fail_msg("%s: was taken", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queued_job_keeps_its_bytes_and_its_age),
		cmocka_unit_test(list_says_which_queue_it_is),
		cmocka_unit_test(
		    scheduled_job_is_due_when_it_says_unless_it_was_moved),
		cmocka_unit_test(retry_remembers_its_failure),
		cmocka_unit_test(reservation_names_its_worker),
		cmocka_unit_test(what_is_no_job_is_refused_with_the_reason),
		cmocka_unit_test(score_is_a_moment),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
