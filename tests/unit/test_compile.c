/*
 * A schema that is not understood is refused, with what is wrong and where;
 * none is half understood.
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

/* `fault` is where the text at fault begins. */
static void
refused(const char *text, const char *fault, const char *why)
{
	struct err e = { 0 };
	size_t at = 0;
	struct schema *s = schema_new(text, strlen(text), &at, &e);

	if (s != NULL)
		fail_msg("%s was taken", text);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.text, why);
	assert_string_equal(text + at, fault);
}

static void
mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	refused("{\"type\":\"strng\"}", "\"strng\"}",
	    "type: \"strng\" stands here, expected null, boolean, object, "
	    "array, number, string or integer");
	refused("{\"minimum\":\"3\"}", "\"3\"}",
	    "minimum: \"3\" stands here, expected a number");
	refused("{\"minLength\":-1}", "-1}",
	    "minLength: -1 stands here, expected a whole number, 0 or more");
	refused("{\"multipleOf\":0}", "0}",
	    "multipleOf: 0 stands here, expected a number above 0, of at most "
	    "18 digits");
	refused("{\"items\":[true]}", "[true]}",
	    "items: a list stands here, expected a schema: an object, true or "
	    "false");
	refused("{\"anyOf\":[]}", "[]}",
	    "anyOf: a list stands here, expected a list of schemas");
	refused("{\"required\":[1]}", "1]}",
	    "required: 1 stands here, expected a name");
	refused("{\"pattern\":\"a(\"}", "\"a(\"}",
	    "pattern: missing closing parenthesis at byte 2 of the pattern");
	refused("{\"type\":\"null\",\"type\":\"null\"}", "\"type\":\"null\"}",
	    "type is set twice");
	refused("{\"properties\":{\"a\":{},\"\\u0061\":{}}}",
	    "\"\\u0061\":{}}}", "properties: this name stands twice");
	refused("{\"a\":", "", "not JSON: unexpected end");
	refused("3", "3",
	    "3 stands here, expected a schema: an object, true or false");
}

static void
what_is_outside_is_never_passed_over(void **state)
{
	(void)state;
	refused("{\"properties\":{\"a\":{\"unevaluatedProperties\":false}}}",
	    "\"unevaluatedProperties\":false}}}",
	    "properties: \"unevaluatedProperties\" is not among the keywords "
	    "that are understood here");
	refused("{\"minimun\":3}", "\"minimun\":3}",
	    "\"minimun\" is not among the keywords that are understood here");
	refused("{\"definitions\":{}}", "\"definitions\":{}}",
	    "\"definitions\" is not among the keywords that are understood "
	    "here, expected $defs");
	refused("{\"$dynamicRef\":\"#a\"}", "\"$dynamicRef\":\"#a\"}",
	    "\"$dynamicRef\" is not among the keywords that are understood "
	    "here");
	refused("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
	    "\"http://json-schema.org/draft-07/schema#\"}",
	    "$schema: \"http://json-schema.org/draft-07/schema#...\" stands "
	    "here, expected \"https://json-schema.org/draft/2020-12/schema\"");
	refused("{\"items\":{\"$id\":\"b\"}}", "\"b\"}}",
	    "$id: only the whole document may have one here");
}

static void
references_stay_in_the_document_and_lead_somewhere(void **state)
{
	(void)state;
	refused("{\"$ref\":\"other.json\"}", "\"other.json\"}",
	    "$ref: \"other.json\" leads out of this document, expected \"#\" "
	    "and a JSON Pointer or an $anchor");
	refused("{\"$ref\":\"#/$defs/a\"}", "\"#/$defs/a\"}",
	    "$ref: \"#/$defs/a\" leads nowhere");
	refused("{\"$ref\":\"#a\"}", "\"#a\"}",
	    "$ref: \"#a\": no schema has this $anchor");
	refused(
	    "{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}"
	    "}}",
	    "\"x\"}}}", "$anchor: another schema has this name too");
}

/* Else one value would be held against the same schema for ever. */
static void
a_loop_that_goes_nowhere_is_refused(void **state)
{
	struct err e = { 0 };
	size_t at;

	(void)state;
	refused("{\"$ref\":\"#\"}", "\"#\"}",
	    "$ref: leads back to itself without going into the value");
	refused("{\"anyOf\":[{\"not\":{\"$ref\":\"#\"}}]}", "\"#\"}}]}",
	    "$ref: leads back to itself without going into the value");
	/* A tree of any depth is described so. */
	const char tree[] = "{\"items\":{\"$ref\":\"#\"}}";
	struct schema *s = schema_new(tree, strlen(tree), &at, &e);
	assert_non_null(s);
	schema_free(s);
	schema_free(NULL);
}

static void
there_are_ceilings(void **state)
{
	char *text = malloc(SCHEMA_TEXT_MAX + 2);
	struct err e = { 0 };
	size_t at, len = 0;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', SCHEMA_TEXT_MAX + 1);
	assert_null(schema_new(text, SCHEMA_TEXT_MAX + 1, &at, &e));
	assert_string_equal(e.text, "1048577 bytes, expected at most 1048576");
	len += (size_t)sprintf(text, "{\"anyOf\":[");
	for (int i = 0; i < SCHEMA_NODES_MAX; i++)
		len += (size_t)sprintf(text + len, "true,");
	len += (size_t)sprintf(text + len - 1, "]}") - 1;
	assert_null(schema_new(text, len, &at, &e));
	assert_string_equal(e.text, "anyOf: more than 10000 schemas");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(what_is_outside_is_never_passed_over),
		cmocka_unit_test(
		    references_stay_in_the_document_and_lead_somewhere),
		cmocka_unit_test(a_loop_that_goes_nowhere_is_refused),
		cmocka_unit_test(there_are_ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
