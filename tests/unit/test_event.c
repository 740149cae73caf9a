/*
 * Each event has one id, and the catalog explains each and no other.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
ids_are_whole_and_different(void **state)
{
	(void)state;
	for (const struct event *e = event_table; e->name != NULL; e++) {
		assert_int_equal(strlen(e->id), 32);
		assert_int_equal(strspn(e->id, "0123456789abcdef"), 32);
		assert_ptr_equal(event_id(e->name), e->id);
		for (const struct event *o = event_table; o != e; o++) {
			assert_string_not_equal(o->id, e->id);
			assert_string_not_equal(o->name, e->name);
		}
	}
	assert_null(event_id("job"));
}

static bool
is_known(const char *id)
{
	for (const struct event *e = event_table; e->name != NULL; e++)
		if (strcmp(e->id, id) == 0)
			return true;
	return false;
}

/* Entries begin with "-- ID"; "Subject:" and "Defined-By:" follow. */
static void
the_catalog_has_an_entry_for_each(void **state)
{
	FILE *f = fopen("contrib/systemd/faktotum.catalog", "re");
	char line[512], id[64];
	size_t entries = 0, subjects = 0, events = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		subjects += strncmp(line, "Subject: ", 9) == 0;
		if (sscanf(line, "-- %63s", id) != 1)
			continue;
		entries++;
		assert_true(is_known(id));
	}
	fclose(f);
	for (const struct event *e = event_table; e->name != NULL; e++)
		events++;
	assert_int_equal(entries, events);
	assert_int_equal(subjects, events);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_whole_and_different),
		cmocka_unit_test(the_catalog_has_an_entry_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
