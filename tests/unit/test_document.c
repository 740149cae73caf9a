/*
 * A YAML file becomes a tree whose values know where they stood; whatever is
 * not one plain document is refused with its line and column.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/document.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct node *
parse(const char *text, struct err *e)
{
	return document_read("t.yaml", text, strlen(text), e);
}

static void
values_know_where_they_stood(void **state)
{
	struct err e = { 0 };
	struct node *root = parse("a: 1\n"
				  "b:\n"
				  "  - x\n"
				  "  - \"y\"\n"
				  "c: {d: |\n"
				  "    t\n"
				  "  }\n",
	    &e);

	(void)state;
	if (root != NULL) {
		document_free(root);
		fail_msg("a block scalar within flow style was taken");
	}
	assert_int_equal(e.code, EINVAL);

	root = parse("a: 1\nb:\n  - x\n  - \"y\"\nü: {d: z}\n", &e);
	assert_non_null(root);
	assert_int_equal(root->kind, NODE_MAPPING);
	assert_int_equal(root->count, 3);
	const struct node *b = node_get(root, "b");
	assert_int_equal(b->kind, NODE_LIST);
	assert_int_equal(b->count, 2);
	assert_string_equal(b->items[1]->text, "y");
	assert_true(b->items[1]->quoted);
	assert_false(b->items[0]->quoted);
	assert_int_equal(b->items[1]->at.line, 4);
	assert_int_equal(b->items[1]->at.column, 5);
	const struct node *d = node_get(node_get(root, "ü"), "d");
	assert_string_equal(d->text, "z");
	assert_int_equal(d->at.line, 5);
	assert_int_equal(d->at.column, 8);
	assert_null(node_get(root, "zzz"));
	assert_null(node_get(b, "a"));
	document_free(root);
}

static void
repeated_keys_are_both_kept(void **state)
{
	struct err e = { 0 };
	struct node *root = parse("a: 1\na: 2\n", &e);

	(void)state;
	assert_non_null(root);
	assert_int_equal(root->count, 2);
	assert_string_equal(root->items[0]->text, "1");
	assert_string_equal(root->items[1]->text, "2");
	document_free(root);
}

static void
nothing_is_an_empty_mapping(void **state)
{
	static const char *const texts[] = { "", "\n", "# a comment\n", "---\n",
		"---\n...\n" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct err e = { 0 };
		struct node *root = parse(texts[i], &e);

		assert_non_null(root);
		assert_int_equal(root->kind, NODE_MAPPING);
		assert_int_equal(root->count, 0);
		document_free(root);
	}
}

static void
mistakes_name_line_and_column(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a: &x 1\n",
		    "t.yaml:1:4: anchors (&name) are not understood here" },
		{ "a: *x\n",
		    "t.yaml:1:4: aliases (*name) are not understood here" },
		{ "a: !!str 1\n",
		    "t.yaml:1:4: tags (!name) are not understood here" },
		{ "a: 1\n--- \nb: 2\n",
		    "t.yaml:2:1: a second document; one file holds one" },
		{ "? [a]\n: 1\n",
		    "t.yaml:1:3: a list or mapping cannot be a key" },
		{ "a: \"x\\0y\"\n", "t.yaml:1:4: a NUL byte cannot be used" },
		{ "a: [1\nb: 2\n",
		    "t.yaml:2:2: did not find expected ',' or ']', while "
		    "parsing "
		    "a flow sequence" },
		{ "a:\n\tb: 1\n",
		    "t.yaml:2:1: found character that cannot start any token, "
		    "while scanning for the next token" },
		{ "a: 1\nb: \xff\n",
		    "t.yaml:2:4: invalid leading UTF-8 octet" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };

		assert_null(parse(cases[i].text, &e));
		assert_string_equal(e.text, cases[i].want);
	}
}

static void
depth_count_and_size_have_ceilings(void **state)
{
	struct err e = { 0 };
	char deep[DOCUMENT_DEPTH_MAX * 2 + 3] = "";
	char *many = malloc((DOCUMENT_NODES_MAX + 1) * 2 + 3);
	char *big = calloc(1, DOCUMENT_SIZE_MAX + 1);
	size_t n = 0;

	(void)state;
	memset(deep, '[', DOCUMENT_DEPTH_MAX);
	memset(deep + DOCUMENT_DEPTH_MAX, ']', DOCUMENT_DEPTH_MAX);
	struct node *root = parse(deep, &e);
	assert_non_null(root);
	document_free(root);
	memset(deep, '[', DOCUMENT_DEPTH_MAX + 1);
	memset(deep + DOCUMENT_DEPTH_MAX + 1, ']', DOCUMENT_DEPTH_MAX + 1);
	assert_null(parse(deep, &e));
	assert_string_equal(e.text, "t.yaml:1:33: nested too deeply");

	many[n++] = '[';
	for (size_t i = 0; i < DOCUMENT_NODES_MAX; i++) {
		many[n++] = '1';
		many[n++] = ',';
	}
	many[n++] = ']';
	assert_null(document_read("t.yaml", many, n, &e));
	assert_string_equal(e.text, "t.yaml:1:200000: too many values");

	assert_null(document_read("t.yaml", big, DOCUMENT_SIZE_MAX + 1, &e));
	assert_string_equal(e.text, "t.yaml: larger than 4194304 bytes");
	free(many);
	free(big);
}

static void
a_file_that_cannot_be_read_is_named(void **state)
{
	struct err e = { 0 };
	size_t len;

	(void)state;
	assert_null(document_load("/nonexistent/t.yaml", &len, &e));
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(
	    e.text, "/nonexistent/t.yaml: No such file or directory");
	assert_null(document_load("/", &len, &e));
	assert_int_equal(e.code, EISDIR);
	assert_string_equal(e.text, "/: Is a directory");
	assert_null(document_load("/dev/zero", &len, &e));
	assert_string_equal(e.text, "/dev/zero: larger than 4194304 bytes");
	char *text = document_load("/dev/null", &len, &e);
	assert_non_null(text);
	assert_int_equal(len, 0);
	free(text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_know_where_they_stood),
		cmocka_unit_test(repeated_keys_are_both_kept),
		cmocka_unit_test(nothing_is_an_empty_mapping),
		cmocka_unit_test(mistakes_name_line_and_column),
		cmocka_unit_test(depth_count_and_size_have_ceilings),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
