/*
 * Two jobs with one jid have a reservation each, and none hides the other.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/reservations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* w1, w2 and w3 are connected. */
static bool
is_present(void *ctx, const char *wid)
{
	(void)ctx;
	return wid[0] == 'w';
}

static struct reservation *
find(struct reservations *rs, const char *jid, const char *wid)
{
	return reservations_find(rs, jid, strlen(jid), wid, is_present, NULL);
}

static struct reservation *
exactly(struct reservations *rs, const char *wid)
{
	return reservations_find(rs, "same-jid", 8, wid, NULL, NULL);
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
	assert_null(exactly(rs, ""));
	assert_ptr_equal(exactly(rs, "w2"), b->held);
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
	assert_null(exactly(rs, "w1"));
	let_go(rs, a);
	reservations_free(rs);
}

/* A worker that crashed may come back under another name. */
static void
what_someone_away_holds_is_found(void **state)
{
	struct reservations *rs = reservations_new();
	struct entry *a = held(rs, "same-jid", "away", 10);
	struct entry *b = held(rs, "same-jid", "w1", 10);

	(void)state;
	assert_ptr_equal(find(rs, "same-jid", "w2"), a->held);
	assert_ptr_equal(find(rs, "same-jid", "w1"), b->held);
	assert_null(exactly(rs, "w2"));
	let_go(rs, a);
	let_go(rs, b);
	reservations_free(rs);
}

static size_t
count_of(struct reservations *rs, const char *wid)
{
	size_t n = 0;

	for (struct reservation *r = reservations_of(rs, wid); r != NULL;
	     r = r->next_held) {
		assert_string_equal(r->wid, wid);
		assert_ptr_equal(*r->prev_held, r);
		n++;
	}
	return n;
}

static void
each_worker_has_its_own_list(void **state)
{
	struct reservations *rs = reservations_new();
	struct entry *a = held(rs, "jid-one", "w1", 1);
	struct entry *b = held(rs, "jid-two", "w1", 2);
	struct entry *c = held(rs, "jid-two", "w1", 3);
	struct entry *d = held(rs, "jid-two", "w2", 4);
	struct entry *e = held(rs, "jid-two", "", 5);

	(void)state;
	assert_int_equal(count_of(rs, "w1"), 3);
	assert_int_equal(count_of(rs, "w2"), 1);
	assert_int_equal(count_of(rs, ""), 0);
	let_go(rs, b);
	assert_int_equal(count_of(rs, "w1"), 2);
	let_go(rs, c);
	let_go(rs, a);
	assert_int_equal(count_of(rs, "w1"), 0);
	let_go(rs, e);
	a = held(rs, "jid-one", "w1", 1);
	assert_int_equal(count_of(rs, "w1"), 1);
	reservations_free(rs);
	entry_free(a);
	entry_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_holder_finds_its_own_among_equal_jids),
		cmocka_unit_test(what_someone_away_holds_is_found),
		cmocka_unit_test(each_worker_has_its_own_list),
		cmocka_unit_test(what_nobody_holds_by_name_is_anybodys),
		cmocka_unit_test(
		    one_that_is_being_settled_neither_expires_nor_is_found_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
