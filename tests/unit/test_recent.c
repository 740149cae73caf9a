/*
 * A jid is known for the window and no longer, and never dropped while its
 * push is under way.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Never looked into: it only must not be NULL. */
static char op_memory[1];
#define some_op ((struct op *)(void *)op_memory)

static struct recent_push *
find(struct recent *r, const char *jid, int64_t now)
{
	return recent_find(r, jid, strlen(jid), now);
}

static struct recent_push *
add(struct recent *r, const char *jid, int64_t when)
{
	struct recent_push *p = recent_add(r, jid, strlen(jid), when);

	assert_non_null(p);
	return p;
}

static void
known_for_the_window(void **state)
{
	struct recent *r = recent_new(100);

	(void)state;
	struct recent_push *a = add(r, "a", 0), *b = add(r, "b", 50);
	assert_ptr_equal(find(r, "a", 99), a);
	assert_null(find(r, "c", 99));
	assert_null(find(r, "a", 100));
	assert_ptr_equal(find(r, "b", 149), b);
	recent_remove(r, b);
	assert_null(find(r, "b", 60));
	/* Old ones go by themselves when new ones come. */
	add(r, "d", 200);
	add(r, "e", 400);
	assert_null(find(r, "d", 250));
	recent_clear(r);
	assert_null(find(r, "e", 401));
	recent_free(r);
	recent_free(NULL);
}

static void
a_push_under_way_stays(void **state)
{
	struct recent *r = recent_new(100);

	(void)state;
	struct recent_push *a = add(r, "a", 0);
	a->op = some_op;
	for (int i = 0; i < 10; i++) {
		char jid[8];

		snprintf(jid, sizeof jid, "j%d", i);
		add(r, jid, 1000);
	}
	recent_clear(r);
	assert_ptr_equal(find(r, "a", 5000), a);
	a->op = NULL;
	assert_null(find(r, "a", 5000));
	recent_free(r);
}

static void
there_is_a_ceiling(void **state)
{
	struct recent *r = recent_new(INT64_MAX);
	char jid[16];

	(void)state;
	for (int i = 0; i <= RECENT_MAX + 1; i++) {
		snprintf(jid, sizeof jid, "%d", i);
		add(r, jid, i);
	}
	assert_null(find(r, "0", RECENT_MAX));
	assert_non_null(find(r, "1000000", RECENT_MAX));
	recent_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_for_the_window),
		cmocka_unit_test(a_push_under_way_stays),
		cmocka_unit_test(there_is_a_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
