/*
 * An entry for the journal has exactly the fields that the manual names, and
 * no byte of a program or a job can become a field.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journald_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static struct buf *
entry_of(const struct log_event *ev)
{
	struct buf *b = buf_new(1 << 20);

	assert_non_null(b);
	clock_freeze(INT64_C(1795470995867000000), 0);
	assert_int_equal(journald_entry_put(b, ev), 0);
	clock_release();
	return b;
}

static void
check(const struct log_event *ev, const char *want, size_t len)
{
	struct buf *b = entry_of(ev);

	assert_int_equal(buf_len(b), len);
	assert_memory_equal(buf_front(b), want, len);
	buf_free(b);
}

#define TIME "FAKTORY_TIME=2026-11-23T21:56:35.867Z\n"

static void
a_line_of_ours_names_its_subject(void **state)
{
	static const char want[] = "MESSAGE=server  lost\nPRIORITY=3\n"
				   "SYSLOG_IDENTIFIER=faktotum\n" TIME;
	const struct log_event ev = { .level = LOG_LEVEL_ERROR,
		.subject = "server",
		.message = "lost",
		.len = 4 };

	(void)state;
	check(&ev, want, sizeof want - 1);
}

static void
the_end_of_a_job_has_all_its_fields(void **state)
{
	static const char want[] =
	    "MESSAGE=jid=j1 type=resize  done\nPRIORITY=6\n"
	    "SYSLOG_IDENTIFIER=faktotum\n" TIME
	    "FAKTORY_JID=j1\nFAKTORY_JOBTYPE=resize\nFAKTORY_QUEUE=q\n"
	    "FAKTORY_ATTEMPT=2\nFAKTORY_DISPATCH_ID=w-1\nFAKTORY_PID=77\n"
	    "MESSAGE_ID=379ab7534bcb03e7b91a5b50c94103ee\n"
	    "FAKTORY_OUTCOME=done\nFAKTORY_DURATION=1.500000\n";
	const struct log_tag tags[] = { { "jid", "j1" }, { "type", "resize" } };
	const struct log_tag fields[] = { { "queue", "q" }, { "attempt", "2" },
		{ "dispatch", "w-1" }, { "pid", "77" }, { "event", "job-done" },
		{ "outcome", "done" }, { "duration", "1.500000" } };
	const struct log_event ev = { .level = LOG_LEVEL_INFO,
		.tags = tags,
		.ntags = 2,
		.fields = fields,
		.nfields = 7,
		.message = "done",
		.len = 4 };

	(void)state;
	check(&ev, want, sizeof want - 1);
}

/* Its own words, under its own name, at the priority of its prefix. */
static void
a_printed_line_is_bare_and_escaped(void **state)
{
	static const char want[] =
	    "MESSAGE=a\\x1b[2J\\x0aPRIORITY=0\\xff\\x00b\nPRIORITY=2\n"
	    "SYSLOG_IDENTIFIER=resize\n" TIME
	    "FAKTORY_JID=j1\nFAKTORY_JOBTYPE=resize\nFAKTORY_STREAM=stderr\n";
	const struct log_tag tags[] = { { "jid", "j1" }, { "type", "resize" },
		{ "stream", "stderr" } };
	const struct log_tag field = { "priority", "2" };
	static const char line[] = "a\x1b[2J\nPRIORITY=0\xff\0b";
	const struct log_event ev = { .level = LOG_LEVEL_ERROR,
		.tags = tags,
		.ntags = 3,
		.fields = &field,
		.nfields = 1,
		.message = line,
		.len = sizeof line - 1 };

	(void)state;
	check(&ev, want, sizeof want - 1);
}

/* A jid is anybody's text. Its bytes arrive whole, by the length form. */
static void
line_ends_and_other_bytes_in_a_value_go_by_length(void **state)
{
	static const char want[] =
	    "MESSAGE=jid=\"a\\x0aMESSAGE=b\" type=\\xff  x\nPRIORITY=4\n"
	    "SYSLOG_IDENTIFIER=faktotum\n" TIME
	    "FAKTORY_JID\n\x0b\0\0\0\0\0\0\0a\nMESSAGE=b\n"
	    "FAKTORY_JOBTYPE\n\x01\0\0\0\0\0\0\0\xff\n"
	    "FAKTORY_FIELD_ORDER_ID\n\x02\0\0\0\0\0\0\0\x1b!\n"
	    "FAKTORY_FIELD_FAKTORY_JID=no\n";
	const struct log_tag tags[] = { { "jid", "a\nMESSAGE=b" },
		{ "type", "\xff" }, { "order_Id", "\x1b!" },
		{ "FAKTORY_JID", "no" } };
	const struct log_event ev = { .level = LOG_LEVEL_WARNING,
		.tags = tags,
		.ntags = 2,
		.fields = tags + 2,
		.nfields = 2,
		.message = "x",
		.len = 1 };

	(void)state;
	check(&ev, want, sizeof want - 1);
}

/* A field that a program names must not pass for one of ours. */
static void
our_names_are_ours(void **state)
{
	static const char *const names[] = { "jid", "type", "queue", "stream",
		"dispatch", "attempt", "pid", "outcome", "duration", "event",
		"priority", "subject", "message", "level", "time" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_true(journald_entry_owns(names[i], strlen(names[i])));
	assert_false(journald_entry_owns("order", 5));
	assert_false(journald_entry_owns("jids", 4));
	assert_false(journald_entry_owns("ji", 2));
}

/* An entry that does not fit leaves no half of it behind. */
static void
what_does_not_fit_is_left_out_whole(void **state)
{
	struct buf *b = buf_new(64);
	const struct log_event ev = { .level = LOG_LEVEL_INFO,
		.subject = "s",
		.message = "0123456789012345678901234567890123456789",
		.len = 40 };

	(void)state;
	assert_non_null(b);
	assert_int_equal(buf_puts(b, "x"), 0);
	assert_true(journald_entry_put(b, &ev) < 0);
	assert_int_equal(buf_len(b), 1);
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_ours_names_its_subject),
		cmocka_unit_test(the_end_of_a_job_has_all_its_fields),
		cmocka_unit_test(a_printed_line_is_bare_and_escaped),
		cmocka_unit_test(
		    line_ends_and_other_bytes_in_a_value_go_by_length),
		cmocka_unit_test(our_names_are_ours),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
