/*
 * Every job is found by its jid while it is listed, however often the table
 * has grown, and several of one jid are all found.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/jids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 5000 };

static struct entry *
listed(struct jids *js, const char *jid)
{
	struct entry *e = entry_new(jid, strlen(jid));

	assert_non_null(e);
	jids_add(js, e);
	return e;
}

static size_t
count(const struct jids *js, const char *jid)
{
	size_t n = 0;

	for (struct entry *e = jids_find(js, jid, strlen(jid)); e != NULL;
	     e = jids_next(e))
		n++;
	return n;
}

static void
each_is_found_however_far_it_has_grown(void **state)
{
	static struct entry *all[MANY];
	struct jids *js = jids_new();
	char jid[32];

	(void)state;
	assert_non_null(js);
	for (int i = 0; i < MANY; i++) {
		snprintf(jid, sizeof jid, "job-%d", i);
		all[i] = listed(js, jid);
	}
	for (int i = 0; i < MANY; i += 2) {
		jids_remove(js, all[i]);
		entry_free(all[i]);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(jid, sizeof jid, "job-%d", i);
		struct entry *e = jids_find(js, jid, strlen(jid));
		assert_ptr_equal(e, i % 2 == 0 ? NULL : all[i]);
		if (e != NULL)
			assert_null(jids_next(e));
	}
	for (int i = 1; i < MANY; i += 2) {
		jids_remove(js, all[i]);
		jids_remove(js, all[i]); /* does nothing */
		entry_free(all[i]);
	}
	assert_int_equal(count(js, "job-1"), 0);
	jids_free(js);
}

static void
several_of_one_jid_are_all_found(void **state)
{
	struct jids *js = jids_new();
	struct entry *same[300];

	(void)state;
	for (size_t i = 0; i < 300; i++)
		same[i] = listed(js, i % 3 == 0 ? "other" : "same");
	assert_int_equal(count(js, "same"), 200);
	assert_int_equal(count(js, "other"), 100);
	assert_int_equal(count(js, "sam"), 0);
	for (size_t i = 0; i < 300; i++) {
		jids_remove(js, same[i]);
		entry_free(same[i]);
	}
	assert_int_equal(count(js, "same"), 0);
	jids_free(js);
	jids_free(NULL);
}

/*
 * What is there at the start is found as what is pushed is, whatever the size
 * the table is made in, and goes on growing and shrinking with it.
 */
static void
what_was_loaded_is_found_as_what_was_added(void **state)
{
	static struct entry *all[MANY];
	static const int sizes[] = { 0, 1, 63, 64, 65, 4096, MANY };
	char jid[32];

	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct jids *js = jids_new();

		assert_non_null(js);
		for (int i = 0; i < MANY; i++) {
			snprintf(jid, sizeof jid, "job-%d", i / 2);
			if (i == sizes[s])
				jids_loaded(js);
			all[i] = entry_new(jid, strlen(jid));
			assert_non_null(all[i]);
			(i < sizes[s] ? jids_load : jids_add)(js, all[i]);
		}
		if (sizes[s] == MANY) {
			/* Not yet there: taking it out does nothing. */
			jids_remove(js, all[0]);
			jids_loaded(js);
		}
		for (int i = 0; i < MANY / 2; i++) {
			snprintf(jid, sizeof jid, "job-%d", i);
			assert_int_equal(count(js, jid), 2);
		}
		for (int i = 0; i < MANY; i++) {
			jids_remove(js, all[i]);
			entry_free(all[i]);
		}
		for (int i = 0; i < MANY / 2; i++) {
			snprintf(jid, sizeof jid, "job-%d", i);
			assert_int_equal(count(js, jid), 0);
		}
		jids_free(js);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_however_far_it_has_grown),
		cmocka_unit_test(what_was_loaded_is_found_as_what_was_added),
		cmocka_unit_test(several_of_one_jid_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
