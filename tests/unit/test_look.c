/*
 * A value that does not fit is told by its place, the schema's place and what
 * was expected; and holding a value against a schema has an end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
judge(const char *schema, const char *value, uint64_t *left,
    struct schema_fault *fault)
{
	struct err e = { 0 };
	struct json x;
	size_t at;
	struct schema *s = schema_new(schema, strlen(schema), &at, &e);

	if (s == NULL)
		fail_msg("%s: %s", schema, e.text);
	assert_int_equal(json_check(value, strlen(value), &x, NULL), 0);
	int r = schema_judge(s, &x, left, fault);
	schema_free(s);
	return r;
}

static void
unfit(const char *schema, const char *value, const char *at, const char *place,
    const char *text)
{
	struct schema_fault fault = { .text = "" };
	uint64_t left = 10000;

	assert_int_equal(judge(schema, value, &left, &fault), -EINVAL);
	assert_string_equal(fault.at, at);
	assert_string_equal(fault.place, place);
	assert_string_equal(fault.text, text);
}

static void
the_fault_is_told_where_it_is(void **state)
{
	static const char amount[] =
	    "{\"prefixItems\":[{\"properties\":{\"amount\":{\"minimum\":1}}}]}";

	(void)state;
	unfit(amount, "[{\"amount\":-3}]", "/0/amount",
	    "/prefixItems/0/properties/amount/minimum",
	    "-3 stands here, expected at least 1");
	unfit("{\"properties\":{\"a/b\":{\"items\":{\"type\":\"string\"}}}}",
	    "{\"a/b\":[\"x\",null]}", "/a~1b/1", "/properties/a~1b/items/type",
	    "null stands here, expected type \"string\"");
	unfit("{\"required\":[\"to\"]}", "{}", "", "/required",
	    "\"to\" is missing");
	unfit("{\"additionalProperties\":false}", "{\"x\\ny\":1}", "/x?y",
	    "/additionalProperties", "nothing is expected here");
	unfit("{\"$defs\":{\"s\":{\"maxLength\":2}},\"items\":{\"$ref\":\"#/"
	      "$defs/s\"}}",
	    "[\"\\u00e4\\ud83d\\ude00\",\"abc\"]", "/1", "/$defs/s/maxLength",
	    "3 characters stand here, expected at most 2");
	unfit("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"array\"}]}", "3", "",
	    "/anyOf", "3 fits none of 2 schemas");
	unfit("{\"uniqueItems\":true}",
	    "[1,{\"a\":1,\"b\":2},2,{\"b\":2.0,"
	    "\"a\":1}]",
	    "", "/uniqueItems", "elements 1 and 3 are equal");
	unfit("{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "",
	    "/dependentRequired/a", "\"b\" is missing, beside \"a\"");
	unfit("{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", "",
	    "/maxContains", "2 elements fit contains, expected at most 1");
}

/* The first fault is told, and none of those that were only tried. */
static void
what_was_only_tried_is_not_told(void **state)
{
	(void)state;
	unfit("{\"anyOf\":[{\"minimum\":9},true],\"maximum\":2}", "3", "",
	    "/maximum", "3 stands here, expected at most 2");
	unfit("{\"if\":{\"minimum\":9},\"else\":{\"multipleOf\":2}}", "3", "",
	    "/else/multipleOf", "3 stands here, expected a multiple of 2");
}

static void
the_effort_is_a_ceiling(void **state)
{
	struct schema_fault fault;
	uint64_t left = 5;

	(void)state;
	assert_int_equal(judge("{\"items\":{\"type\":\"number\"}}",
			     "[1,1,1,1,1,1,1,1,1,1]", &left, &fault),
	    -E2BIG);
	/* `not` makes no fit of it. */
	left = 5;
	assert_int_equal(judge("{\"not\":{\"items\":{\"type\":\"number\"}}}",
			     "[1,1,1,1,1,1,1,1,1,1]", &left, &fault),
	    -E2BIG);
	/* Each level asks for the next one twice. */
	char bomb[8192], *p = bomb;
	p += sprintf(p, "{\"$defs\":{");
	for (int i = 0; i < 40; i++)
		p += sprintf(p,
		    "\"%d\":{\"allOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":"
		    "\"#/$defs/%d\"}]},",
		    i, i + 1, i + 1);
	sprintf(p, "\"40\":true},\"$ref\":\"#/$defs/0\"}");
	left = 1000000;
	assert_int_equal(judge(bomb, "1", &left, &fault), -E2BIG);
}

/* The longest text of 'a' with the pattern that is known to be slow. */
static void
a_pattern_ends(void **state)
{
	struct schema_fault fault = { .text = "" };
	char value[10000];
	uint64_t left = 200000;

	(void)state;
	memset(value, 'a', sizeof value);
	value[0] = value[60] = '"';
	value[61] = '\0';
	assert_int_equal(
	    judge("{\"pattern\":\"^(a+)+$|^(a+)+b$\"}", value, &left, &fault),
	    0);
	assert_int_equal(
	    judge("{\"pattern\":\"^(a+)+b\"}", value, &left, &fault), -EINVAL);
	left = 200000;
	assert_int_equal(
	    judge("{\"pattern\":\"^(a|aa)+[bc]\"}", value, &left, &fault),
	    -E2BIG);
	/* Quadratic: from each place to the end. */
	memset(value, 'a', sizeof value);
	value[0] = value[sizeof value - 2] = '"';
	value[sizeof value - 1] = '\0';
	left = 200000;
	assert_int_equal(
	    judge("{\"pattern\":\"[ab]*1$\"}", value, &left, &fault), -E2BIG);
}

/* As deep as JSON goes, through a schema that follows it. */
static void
deep_values_are_followed(void **state)
{
	struct schema_fault fault = { .text = "" };
	char value[200] = "";
	uint64_t left = 10000;

	(void)state;
	memset(value, '[', JSON_DEPTH_MAX);
	memset(value + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(
	    judge("{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}", value,
		&left, &fault),
	    0);
}

/* Many references at each level are more than the stack is trusted with. */
static void
too_deep_is_an_end_too(void **state)
{
	static const char chain[] =
	    "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":"
	    "\"#/$defs/c\"},\"c\":{\"$ref\":\"#/$defs/d\"},\"d\":{"
	    "\"items\":{\"$ref\":\"#/$defs/a\"}}},\"$ref\":\"#/$defs/a\"}";
	struct schema_fault fault = { .text = "" };
	char value[200] = "";
	uint64_t left = 10000;

	(void)state;
	memset(value, '[', 20);
	memset(value + 20, ']', 20);
	assert_int_equal(judge(chain, value, &left, &fault), 0);
	memset(value, '[', JSON_DEPTH_MAX);
	memset(value + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(judge(chain, value, &left, &fault), -E2BIG);
	assert_true(left > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fault_is_told_where_it_is),
		cmocka_unit_test(what_was_only_tried_is_not_told),
		cmocka_unit_test(the_effort_is_a_ceiling),
		cmocka_unit_test(a_pattern_ends),
		cmocka_unit_test(deep_values_are_followed),
		cmocka_unit_test(too_deep_is_an_end_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
