/*
 * Two jobs with one jid have a reservation each, and none hides the other.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/reservations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Never looked into: it only must not be NULL. */
static char change_memory[1];
#define some_change ((struct op *)(void *)change_memory)

static struct entry *
held(
    struct reservations *rs, const char *jid, const char *wid, int64_t deadline)
{
	struct entry *e = entry_new(jid, strlen(jid));
	struct reservation *r = reservation_new(e, wid);

	assert_non_null(r);
	assert_int_equal(reservations_add(rs, r, deadline), 0);
	assert_ptr_equal(e->held, r);
	return e;
}

static struct reservation *
find(struct reservations *rs, const char *jid, const char *wid)
{
	return reservations_find(rs, jid, strlen(jid), wid, false);
}

static void
let_go(struct reservations *rs, struct entry *e)
{
	reservations_remove(rs, e->held);
	assert_null(e->held);
	entry_free(e);
}

static void
the_holder_finds_its_own_among_equal_jids(void **state)
{
	struct reservations *rs = reservations_new();
	struct entry *a = held(rs, "same-jid", "w1", 30);
	struct entry *b = held(rs, "same-jid", "w2", 20);
	struct entry *c = held(rs, "same-jid", "w3", 10);

	(void)state;
	assert_int_equal(reservations_count(rs), 3);
	assert_ptr_equal(find(rs, "same-jid", "w1"), a->held);
	assert_ptr_equal(find(rs, "same-jid", "w2"), b->held);
	assert_ptr_equal(find(rs, "same-jid", "w3"), c->held);
	assert_null(find(rs, "same-jid", "stranger"));
	assert_ptr_equal(find(rs, "same-jid", ""), a->held);
	assert_null(reservations_find(rs, "same-jid", 8, "", true));
	assert_ptr_equal(
	    reservations_find(rs, "same-jid", 8, "w2", true), b->held);
	assert_null(find(rs, "other-jid", "w1"));

	/* The newest, whose jid was the table's key, goes first. */
	let_go(rs, c);
	assert_ptr_equal(find(rs, "same-jid", "w1"), a->held);
	let_go(rs, a);
	assert_null(find(rs, "same-jid", "w1"));
	assert_ptr_equal(find(rs, "same-jid", "w2"), b->held);
	let_go(rs, b);
	assert_null(find(rs, "same-jid", "w1"));
	assert_int_equal(reservations_count(rs), 0);
	reservations_free(rs);
}

static void
one_that_is_being_settled_neither_expires_nor_is_found_first(void **state)
{
	struct reservations *rs = reservations_new();
	struct entry *a = held(rs, "same-jid", "w1", 10);
	struct entry *b = held(rs, "same-jid", "w2", 20);

	(void)state;
	assert_ptr_equal(reservations_first(rs), a);
	reservations_settling(rs, a->held, some_change);
	assert_ptr_equal(reservations_first(rs), b);
	assert_ptr_equal(find(rs, "same-jid", ""), b->held);
	/* What another worker holds is not offered instead. */
	assert_ptr_equal(find(rs, "same-jid", "w1"), a->held);
	reservations_settling(rs, b->held, some_change);
	assert_null(reservations_first(rs));
	assert_non_null(find(rs, "same-jid", ""));

	reservations_unsettle(rs, a->held);
	assert_ptr_equal(reservations_first(rs), a);
	let_go(rs, a);
	let_go(rs, b);
	reservations_free(rs);
}

/* Workers and producers share jobs as they do with a stock server. */
static void
what_nobody_holds_by_name_is_anybodys(void **state)
{
	struct reservations *rs = reservations_new();
	struct entry *a = held(rs, "same-jid", "", 10);

	(void)state;
	assert_ptr_equal(find(rs, "same-jid", "w1"), a->held);
	assert_ptr_equal(find(rs, "same-jid", ""), a->held);
	assert_null(reservations_find(rs, "same-jid", 8, "w1", true));
	let_go(rs, a);
	reservations_free(rs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_holder_finds_its_own_among_equal_jids),
		cmocka_unit_test(what_nobody_holds_by_name_is_anybodys),
		cmocka_unit_test(
		    one_that_is_being_settled_neither_expires_nor_is_found_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
