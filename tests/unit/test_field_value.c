/*
 * One row decodes, limits, defaults and explains a setting, whatever its
 * kind; a mistake leaves the place as it was and hides no other mistake.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/field.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "config/handler.h"
#include "config/settings_fields.h"

struct sample {
	char *url;
	int64_t slots, grace, limit;
	bool dash, any;
	enum { RED, GREEN } colour;
	int64_t inner;
	const struct node *later;
};

static const struct field_choice colours[] = {
	{ "red", RED },
	{ "green", GREEN },
	{ NULL, 0 },
};
static const struct field_choice bytes[] = {
	{ "utf8", 0 },
	{ "any", 1 },
	{ NULL, 0 },
};

#define AT(member) offsetof(struct sample, member)

static const struct field inner_rows[] = {
	{ .name = "inner",
	    .kind = FIELD_INTEGER,
	    .offset = AT(inner),
	    .min = -5,
	    .max = 5,
	    .dflt = "1" },
	{ 0 },
};
static const struct field rows[] = {
	{ .name = "url",
	    .kind = FIELD_TEXT,
	    .offset = AT(url),
	    .dflt = "here" },
	{ .name = "slots",
	    .kind = FIELD_INTEGER,
	    .offset = AT(slots),
	    .min = 1,
	    .max = 1000,
	    .dflt = "10" },
	{ .name = "grace",
	    .kind = FIELD_DURATION,
	    .offset = AT(grace),
	    .min = CLOCK_NS_PER_S,
	    .max = 30 * CLOCK_NS_PER_S,
	    .dflt = "15s" },
	{ .name = "limit",
	    .kind = FIELD_SIZE,
	    .offset = AT(limit),
	    .min = 4096,
	    .max = INT64_C(1) << 30,
	    .dflt = "64M" },
	{ .name = "dash",
	    .kind = FIELD_BOOL,
	    .offset = AT(dash),
	    .dflt = "false" },
	{ .name = "any",
	    .kind = FIELD_BOOL,
	    .offset = AT(any),
	    .choices = bytes,
	    .dflt = "utf8" },
	{ .name = "colour",
	    .kind = FIELD_CHOICE,
	    .offset = AT(colour),
	    .choices = colours,
	    .dflt = "green" },
	{ .name = "group", .kind = FIELD_GROUP, .rows = inner_rows },
	{ .name = "later", .kind = FIELD_NODE, .offset = AT(later) },
	{ 0 },
};

static const char *
lookup(const char *name)
{
	return strcmp(name, "SLOTS") == 0 ? "7" : NULL;
}

static void
collect(void *ctx, const char *message)
{
	char *all = ctx;
	size_t at = strlen(all);

	snprintf(all + at, 4096 - at, "%s\n", message);
}

/* Decodes text into *s, its url owned by the caller; messages into all. */
static void
decode(const char *text, struct sample *s, char all[4096])
{
	struct reader r = { .file = "t.yaml", .lookup = lookup };
	struct field_given given = { 0 };
	struct err e = { 0 };
	struct node *root = document_read("t.yaml", text, strlen(text), &e);

	if (root == NULL)
		fail_msg("%s", e.text);
	memset(s, 0, sizeof *s);
	all[0] = '\0';
	field_read(&r, root, "", rows, &given, s);
	field_defaults(&r, "", rows, &given, s);
	reader_finish(&r, collect, all);
	s->later = NULL;
	document_free(root);
}

static void
every_kind_is_decoded(void **state)
{
	struct sample s;
	char all[4096];

	(void)state;
	decode("url: there\nslots: \"${SLOTS}\"\ngrace: 1500ms\nlimit: 8K\n"
	       "dash: true\nany: any\ncolour: red\ngroup: {inner: -3}\n"
	       "later: [x]\n",
	    &s, all);
	assert_string_equal(all, "");
	assert_string_equal(s.url, "there");
	assert_int_equal(s.slots, 7);
	assert_int_equal(s.grace, 1500 * CLOCK_NS_PER_MS);
	assert_int_equal(s.limit, 8192);
	assert_true(s.dash);
	assert_true(s.any);
	assert_int_equal(s.colour, RED);
	assert_int_equal(s.inner, -3);
	free(s.url);
}

static void
what_is_not_given_has_its_default(void **state)
{
	struct sample s;
	char all[4096];

	(void)state;
	decode("group: {}\n", &s, all);
	assert_string_equal(all, "");
	assert_string_equal(s.url, "here");
	assert_int_equal(s.slots, 10);
	assert_int_equal(s.grace, 15 * CLOCK_NS_PER_S);
	assert_int_equal(s.limit, 64 << 20);
	assert_false(s.dash);
	assert_false(s.any);
	assert_int_equal(s.colour, GREEN);
	assert_int_equal(s.inner, 1);
	free(s.url);
	decode("", &s, all);
	assert_int_equal(s.inner, 1);
	free(s.url);
}

static const struct {
	const char *text, *want;
} mistakes[] = {
	{ "url: a\nslots: many\n",
	    "t.yaml:2:8: slots: \"many\" is not a whole number, "
	    "expected "
	    "1 to 1000\n" },
	{ "slots: 0\n",
	    "t.yaml:1:8: slots: 0 is too small, expected 1 to 1000\n" },
	{ "slots: 1001\n",
	    "t.yaml:1:8: slots: 1001 is too large, expected 1 to "
	    "1000\n" },
	{ "slots: 99999999999999999999\n",
	    "t.yaml:1:8: slots: 99999999999999999999 is too large, "
	    "expected 1 to 1000\n" },
	{ "slots: -99999999999999999999\n",
	    "t.yaml:1:8: slots: this is too small, expected 1 to "
	    "1000\n" },
	{ "slots: [1]\n",
	    "t.yaml:1:8: slots: a list stands here, expected a whole "
	    "number from 1 to 1000\n" },
	{ "slots: {a: 1}\n",
	    "t.yaml:1:8: slots: a mapping stands here, expected a "
	    "whole "
	    "number from 1 to 1000\n" },
	{ "slots:\n",
	    "t.yaml:1:7: slots: nothing stands here, expected a whole "
	    "number from 1 to 1000\n" },
	{ "slots: ~\n",
	    "t.yaml:1:8: slots: nothing stands here, expected a whole "
	    "number from 1 to 1000\n" },
	{ "slots: ${NONE}\n",
	    "t.yaml:1:8: slots: NONE is not in the environment, "
	    "expected "
	    "it to be set or ${NONE:-default}\n" },
	{ "grace: 15\n",
	    "t.yaml:1:8: grace: \"15\" has no unit, expected 1s to 30s "
	    "such as 90s or 5m\n" },
	{ "grace: soon\n",
	    "t.yaml:1:8: grace: \"soon\" is not a duration, expected "
	    "1s "
	    "to 30s\n" },
	{ "grace: 0\n",
	    "t.yaml:1:8: grace: 0 is too short, expected 1s to 30s\n" },
	{ "grace: 1m\n",
	    "t.yaml:1:8: grace: 1m is too long, expected 1s to 30s\n" },
	{ "limit: lots\n",
	    "t.yaml:1:8: limit: \"lots\" is not a size, expected 4K to "
	    "1G\n" },
	{ "limit: 2G\n",
	    "t.yaml:1:8: limit: 2G is too large, expected 4K to 1G\n" },
	{ "dash: yes\n",
	    "t.yaml:1:7: dash: \"yes\" is not known, expected true or "
	    "false\n" },
	{ "any: [x]\n",
	    "t.yaml:1:6: any: a list stands here, expected utf8 or "
	    "any\n" },
	{ "colour: blue\n",
	    "t.yaml:1:9: colour: \"blue\" is not known, expected red "
	    "or "
	    "green\n" },
	{ "url: ''\n", "t.yaml:1:6: url: empty, expected text\n" },
	{ "group: 3\n",
	    "t.yaml:1:8: group: a single value stands here, expected a "
	    "mapping\n" },
	{ "group:\n  inner: 6\n",
	    "t.yaml:2:10: group.inner: 6 is too large, expected -5 to "
	    "5\n" },
	{ "group:\n  iner: 1\n",
	    "t.yaml:2:3: group: no setting is called \"iner\", "
	    "expected "
	    "\"inner\"?\n" },
	{ "slot: 3\n",
	    "t.yaml:1:1: no setting is called \"slot\", expected "
	    "\"slots\"?\n" },
	{ "xyots: 3\n",
	    "t.yaml:1:1: no setting is called \"xyots\", expected "
	    "\"slots\"?\n" },
	{ "xyzts: 3\n", "t.yaml:1:1: no setting is called \"xyzts\"\n" },
	{ "zebra: 3\n", "t.yaml:1:1: no setting is called \"zebra\"\n" },
	{ "\"a\\nb\": 3\n",
	    "t.yaml:1:1: no setting is called \"a?b\", expected "
	    "\"any\"?\n" },
	{ "slots: 3\nurl: a\nslots: 4\n",
	    "t.yaml:3:1: slots is set twice, first in line 1\n" },
};

static void
mistakes_name_line_column_and_what_is_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct sample s;
		char all[4096];

		decode(mistakes[i].text, &s, all);
		assert_string_equal(all, mistakes[i].want);
		free(s.url);
	}
}

static void
all_mistakes_are_told_in_the_order_of_the_file(void **state)
{
	struct sample s;
	char all[4096];

	(void)state;
	decode(
	    "group: {inner: x, y: 1}\nslots: 0\nslots: 0\ngrace: 1\n", &s, all);
	assert_string_equal(all,
	    "t.yaml:1:16: group.inner: \"x\" is not a whole number, expected "
	    "-5 "
	    "to 5\n"
	    "t.yaml:1:19: group: no setting is called \"y\"\n"
	    "t.yaml:2:8: slots: 0 is too small, expected 1 to 1000\n"
	    "t.yaml:3:1: slots is set twice, first in line 2\n"
	    "t.yaml:4:8: grace: \"1\" has no unit, expected 1s to 30s such as "
	    "90s or 5m\n");
	free(s.url);
}

static void
long_values_are_cut_in_messages(void **state)
{
	struct sample s;
	char all[4096], text[400] = "slots: ", want[400];

	(void)state;
	memset(text + 7, 'x', 300);
	text[307] = '\0';
	decode(text, &s, all);
	snprintf(want, sizeof want,
	    "t.yaml:1:8: slots: \"%.72s\"... is not a whole number, expected 1 "
	    "to "
	    "1000\n",
	    text + 7);
	assert_string_equal(all, want);
	free(s.url);
}

static void
row_is_complete(const struct field *row)
{
	char expected[FIELD_EXPECTED_MAX];

	assert_true(row->help != NULL && strlen(row->help) > 10);
	assert_true(row->help[strlen(row->help) - 1] == '.');
	assert_null(strchr(row->help, '|'));
	assert_true(strlen(field_expected(row, expected)) > 3);
	if (row->kind == FIELD_INTEGER || row->kind == FIELD_DURATION ||
	    row->kind == FIELD_SIZE)
		assert_true(row->min < row->max && row->dflt != NULL);
	for (size_t i = 0; row->rows != NULL && row->rows[i].name != NULL; i++)
		row_is_complete(&row->rows[i]);
}

static void
every_row_of_ours_has_help_and_limits(void **state)
{
	const struct field *const tables[] = { settings_fields, handler_fields,
		server_settings_fields };

	(void)state;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		size_t n = 0;

		for (; tables[i][n].name != NULL; n++)
			row_is_complete(&tables[i][n]);
		assert_true(n > 0 && n <= FIELD_ROWS_MAX);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_decoded),
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(
		    mistakes_name_line_column_and_what_is_expected),
		cmocka_unit_test(
		    all_mistakes_are_told_in_the_order_of_the_file),
		cmocka_unit_test(long_values_are_cut_in_messages),
		cmocka_unit_test(every_row_of_ours_has_help_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
