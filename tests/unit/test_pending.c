/*
 * Requests are answered in the order in which they were asked, however many
 * wait and wherever the ring begins.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
the_first_in_is_the_first_out_across_growth(void **state)
{
	static int marks[1000];
	struct pending p = { 0 };
	struct request r;
	size_t in = 0, out = 0;

	(void)state;
	/* Three in, one out: the ring wraps and grows again and again. */
	while (in < 999) {
		for (int i = 0; i < 3; i++, in++)
			assert_int_equal(
			    pending_put(
				&p, &(struct request){ .ctx = &marks[in] }),
			    0);
		assert_true(pending_take(&p, &r));
		assert_ptr_equal(r.ctx, &marks[out++]);
		assert_int_equal(pending_count(&p), in - out);
	}
	while (pending_take(&p, &r))
		assert_ptr_equal(r.ctx, &marks[out++]);
	assert_int_equal(out, in);
	pending_clear(&p);
	assert_false(pending_take(&p, &r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_in_is_the_first_out_across_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
