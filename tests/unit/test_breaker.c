/*
 * A breaker opens for what does not work and for nothing else, lets one job
 * at a time try, and waits longer each time that this fails in the same way.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#define S(n) ((n)*CLOCK_NS_PER_S)

static const struct breaker_settings usual = { .unavailable = true,
	.failures = 50,
	.of = 4,
	.window = S(60),
	.cooldown = S(10),
	.max_cooldown = S(35),
	.hold = S(30) };

static enum breaker_event
say(struct breaker *b, const struct breaker_settings *s, enum breaker_sign sign,
    const char *errtype, int64_t now)
{
	bool probe = b->probe;
	const struct breaker_note n = { .sign = sign,
		.errtype = errtype,
		.message = "the reason",
		.probe = probe };

	return breaker_note(b, s, &n, now);
}

#define WORKS(b, at)    say((b), &usual, BREAKER_WORKS, NULL, (at))
#define FAILS(b, e, at) say((b), &usual, BREAKER_FAILS, (e), (at))
#define GONE(b, at)                                                            \
	say((b), &usual, BREAKER_UNAVAILABLE, "HandlerUnavailable", (at))

static void
a_share_of_the_last_jobs_opens_it(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	assert_int_equal(FAILS(&b, "E", S(1)), BREAKER_STAYS);
	assert_int_equal(WORKS(&b, S(2)), BREAKER_STAYS);
	assert_int_equal(WORKS(&b, S(3)), BREAKER_STAYS);
	/* Three jobs are too few to judge by, the fourth is one failure in
	 * four again once the first has been forgotten. */
	assert_int_equal(WORKS(&b, S(4)), BREAKER_STAYS);
	assert_int_equal(FAILS(&b, "E", S(5)), BREAKER_STAYS);
	assert_int_equal(FAILS(&b, "E", S(6)), BREAKER_OPENS);
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_string_equal(b.reason, "2 of its last 4 jobs failed with E");
	assert_int_equal(b.until, S(16));
	assert_int_equal(b.opened, 1);
	assert_false(breaker_lets(&b));
	breaker_clear(&b);
}

static void
failures_of_different_kinds_do_not_add_up(void **state)
{
	static const char *const kinds[] = { "A", "B", "C", "D" };
	struct breaker b = { 0 };

	(void)state;
	for (int64_t i = 0; i < 40; i++)
		assert_int_equal(FAILS(&b, kinds[i % 4], S(i)), BREAKER_STAYS);
	breaker_clear(&b);
}

static void
failures_long_ago_do_not_count(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(FAILS(&b, "E", S(21 * i)), BREAKER_STAYS);
	breaker_clear(&b);
}

static void
what_was_our_doing_is_no_sign(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(
		    say(&b, &usual, BREAKER_NO_SIGN, "Shutdown", S(i)),
		    BREAKER_STAYS);
	assert_int_equal(b.count, 0);
	breaker_clear(&b);
}

static void
one_program_that_cannot_start_is_enough(void **state)
{
	struct breaker_settings off = usual;
	struct breaker b = { 0 };

	(void)state;
	assert_int_equal(GONE(&b, S(1)), BREAKER_OPENS);
	assert_string_equal(b.reason, "the reason");
	breaker_clear(&b);

	off.unavailable = false;
	off.failures = 0;
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(say(&b, &off, BREAKER_UNAVAILABLE, "E", S(i)),
		    BREAKER_STAYS);
	breaker_clear(&b);
}

static void
the_probe_decides_alone(void **state)
{
	struct breaker b = { 0 };
	const struct breaker_note other = { .sign = BREAKER_WORKS };

	(void)state;
	GONE(&b, S(0));
	assert_false(breaker_turn(&b, S(9)));
	assert_true(breaker_turn(&b, S(10)));
	assert_true(breaker_lets(&b));
	assert_true(breaker_begin(&b, S(10)));
	assert_false(breaker_lets(&b));
	assert_false(breaker_begin(&b, S(10)));
	/* One that had started before it opened ends well. */
	assert_int_equal(
	    breaker_note(&b, &usual, &other, S(11)), BREAKER_STAYS);
	assert_int_equal(b.state, BREAKER_PROBING);
	/* A probe that somebody cancels says nothing; the next may try. */
	assert_int_equal(
	    say(&b, &usual, BREAKER_NO_SIGN, NULL, S(11)), BREAKER_STAYS);
	assert_true(breaker_begin(&b, S(11)));
	assert_int_equal(WORKS(&b, S(12)), BREAKER_CLOSES);
	assert_true(breaker_lets(&b));
	assert_false(breaker_begin(&b, S(12)));
	breaker_clear(&b);
}

/* Else a supervisor without memory would try without end, and do nothing
 * else. */
static void
a_probe_that_could_not_be_tried_waits_as_long_again(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	GONE(&b, S(0));
	assert_false(breaker_rest(&b, S(1)));
	assert_true(breaker_turn(&b, S(10)));
	assert_true(breaker_begin(&b, S(10)));
	assert_false(breaker_rest(&b, S(10)));
	say(&b, &usual, BREAKER_NO_SIGN, NULL, S(11));
	assert_true(breaker_rest(&b, S(11)));
	assert_false(breaker_lets(&b));
	assert_false(breaker_turn(&b, S(20)));
	assert_true(breaker_turn(&b, S(21)));
	assert_true(breaker_lets(&b));
	breaker_clear(&b);
}

static void
each_probe_that_fails_alike_doubles_the_wait(void **state)
{
	static const int64_t waits[] = { 20, 35, 35, 35 };
	struct breaker b = { 0 };
	int64_t now = S(10);

	(void)state;
	GONE(&b, S(0));
	for (size_t i = 0; i < 4; i++) {
		assert_true(breaker_turn(&b, now));
		assert_true(breaker_begin(&b, now));
		assert_int_equal(GONE(&b, now), BREAKER_OPENS);
		assert_int_equal(b.until - now, S(waits[i]));
		now = b.until;
	}
	assert_int_equal(b.opened, 1);
	/* It can be started again, so it is closed, though the job failed. */
	assert_true(breaker_turn(&b, now));
	assert_true(breaker_begin(&b, now));
	assert_int_equal(FAILS(&b, "E", now), BREAKER_CLOSES);
	/* The next time begins at the first wait. */
	GONE(&b, now);
	assert_int_equal(b.until - now, S(10));
	breaker_clear(&b);
}

static void
a_probe_that_fails_otherwise_closes_it(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int64_t i = 0; i < 4; i++)
		FAILS(&b, "E", S(i));
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_true(breaker_turn(&b, b.until));
	assert_true(breaker_begin(&b, S(20)));
	assert_int_equal(breaker_trusts_at(&b), INT64_MAX);
	assert_int_equal(FAILS(&b, "E", S(20)), BREAKER_OPENS);
	assert_true(breaker_turn(&b, b.until));
	assert_true(breaker_begin(&b, S(60)));
	assert_int_equal(FAILS(&b, "F", S(60)), BREAKER_CLOSES);
	breaker_clear(&b);
}

static void
what_could_not_start_is_trusted_once_it_runs(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	GONE(&b, S(0));
	assert_int_equal(breaker_trusts_at(&b), INT64_MAX);
	assert_true(breaker_turn(&b, S(10)));
	assert_int_equal(breaker_trusts_at(&b), INT64_MAX);
	assert_true(breaker_begin(&b, S(10)));
	assert_int_equal(breaker_trusts_at(&b), S(10) + BREAKER_TRUST);
	breaker_clear(&b);
}

static void
settings_that_switch_it_off_close_it(void **state)
{
	struct breaker_settings off = usual;
	struct breaker b = { 0 };

	(void)state;
	GONE(&b, S(0));
	off.failures = 0;
	assert_false(breaker_reset(&b, &off));
	off.unavailable = false;
	assert_true(breaker_reset(&b, &off));
	assert_true(breaker_lets(&b));
	breaker_clear(&b);
}

static void
it_survives_its_process(void **state)
{
	struct breaker b = { 0 }, c = { 0 };
	struct state_writer w;
	struct state_reader r;
	struct buf *out = buf_new(100000);

	(void)state;
	GONE(&b, S(3));
	assert_int_equal(state_writer_init(&w, 100000), 0);
	breaker_save(&b, &w);
	assert_int_equal(state_seal(&w, 1, out), 0);
	assert_int_equal(state_open(&r, buf_front(out), buf_len(out), 1), 0);
	breaker_load(&c, &r);
	assert_false(r.failed);
	assert_int_equal(c.state, BREAKER_OPEN);
	assert_int_equal(c.until, b.until);
	assert_int_equal(c.opened, 1);
	assert_true(c.unavailable);
	assert_string_equal(c.reason, b.reason);
	assert_string_equal(c.errtype, b.errtype);
	state_writer_clear(&w);
	buf_free(out);
	breaker_clear(&b);
	breaker_clear(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_of_the_last_jobs_opens_it),
		cmocka_unit_test(failures_of_different_kinds_do_not_add_up),
		cmocka_unit_test(failures_long_ago_do_not_count),
		cmocka_unit_test(what_was_our_doing_is_no_sign),
		cmocka_unit_test(one_program_that_cannot_start_is_enough),
		cmocka_unit_test(the_probe_decides_alone),
		cmocka_unit_test(
		    a_probe_that_could_not_be_tried_waits_as_long_again),
		cmocka_unit_test(each_probe_that_fails_alike_doubles_the_wait),
		cmocka_unit_test(a_probe_that_fails_otherwise_closes_it),
		cmocka_unit_test(what_could_not_start_is_trusted_once_it_runs),
		cmocka_unit_test(settings_that_switch_it_off_close_it),
		cmocka_unit_test(it_survives_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
