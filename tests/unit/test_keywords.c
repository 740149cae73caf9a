/*
 * The keywords mean what JSON Schema's own test suite for draft 2020-12 says:
 * every file about one of them is held, and what is left out is named with
 * the reason. What is left out must be refused, not judged wrongly.
 *
 * The suite is that of Debian's libtest-json-schema-acceptance-perl (the
 * package json-schema-test-suite ends with draft 7), or in $SCHEMA_SUITE.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/schema.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SUITE                                                                  \
	"/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/"  \
	"draft2020-12"

/* Whole files. Of those below optional/ the ones that are not here are run. */
static const struct {
	const char *file;
	const char *reason;
} left_out[] = {
	{ "dynamicRef.json", "$dynamicRef and $dynamicAnchor" },
	{ "refRemote.json", "references to other documents" },
	{ "unevaluatedItems.json", "unevaluatedItems" },
	{ "unevaluatedProperties.json", "unevaluatedProperties" },
	{ "vocabulary.json",
	    "$vocabulary and schemas of one's own for schemas" },
	{ "id.json", "$id within a document, and words that are no keywords" },
	{ "unknownKeyword.json", "words that are no keywords are refused" },
	{ "optional/cross-draft.json", "references to other documents" },
	{ "optional/dependencies-compatibility.json",
	    "dependencies, a keyword of older drafts" },
	{ "optional/format-assertion.json",
	    "schemas of one's own for schemas" },
	{ "optional/refOfUnknownKeyword.json",
	    "words that are no keywords are refused" },
	{ "optional/no-schema.json", "nothing to hold" },
};

#define IDS             "an $id for a part of the document"
#define OTHER_DOCUMENTS "a $ref to the schema of schemas"
#define UNEVALUATED     "unevaluatedProperties"
#define LONG_PROPERTIES "\\p{Letter}: PCRE2 knows \\p{L}"
#define SPACES          "PCRE2's \\s are the spaces of ASCII"

/* Groups within files that are run: refused at load. */
static const struct {
	const char *file;
	const char *group;
	const char *reason;
} refused[] = {
	{ "anchor.json", "Location-independent identifier with absolute URI",
	    IDS },
	{ "anchor.json",
	    "Location-independent identifier with base URI change in subschema",
	    IDS },
	{ "anchor.json", "same $anchor with different base uri", IDS },
	{ "ref.json", "Recursive references between schemas", IDS },
	{ "ref.json", "refs with relative uris and defs", IDS },
	{ "ref.json", "relative refs with absolute uris and defs", IDS },
	{ "ref.json",
	    "$id must be resolved against nearest parent, not just immediate "
	    "parent",
	    IDS },
	{ "ref.json", "order of evaluation: $id and $ref", IDS },
	{ "ref.json", "order of evaluation: $id and $anchor and $ref", IDS },
	{ "ref.json", "URN ref with nested pointer ref", IDS },
	{ "ref.json", "ref to if", IDS },
	{ "ref.json", "ref to then", IDS },
	{ "ref.json", "ref to else", IDS },
	{ "ref.json", "ref with absolute-path-reference", IDS },
	{ "anchor.json", "invalid anchors", OTHER_DOCUMENTS },
	{ "ref.json", "remote ref, containing refs itself", OTHER_DOCUMENTS },
	{ "ref.json", "URN base URI with f-component", OTHER_DOCUMENTS },
	{ "defs.json", "validate definition against metaschema",
	    OTHER_DOCUMENTS },
	{ "optional/ecmascript-regex.json",
	    "\\a is not an ECMA 262 control escape", OTHER_DOCUMENTS },
	{ "not.json",
	    "collect annotations inside a 'not', even if collection is "
	    "disabled",
	    UNEVALUATED },
	{ "ref.json", "ref creates new scope when adjacent to keywords",
	    UNEVALUATED },
	{ "optional/ecmascript-regex.json",
	    "patterns always use unicode semantics with pattern",
	    LONG_PROPERTIES },
	{ "optional/ecmascript-regex.json", "pattern with non-ASCII digits",
	    LONG_PROPERTIES },
	{ "optional/ecmascript-regex.json",
	    "patterns always use unicode semantics with patternProperties",
	    LONG_PROPERTIES },
	{ "optional/ecmascript-regex.json",
	    "patternProperties with non-ASCII digits", LONG_PROPERTIES },
};

/* Single tests whose answer is another one here, and why. */
static const struct {
	const char *file;
	const char *test;
	const char *reason;
} differs[] = {
	{ "optional/ecmascript-regex.json",
	    "latin-1 non-breaking-space matches", SPACES },
	{ "optional/ecmascript-regex.json", "zero-width whitespace matches",
	    SPACES },
	{ "optional/ecmascript-regex.json",
	    "paragraph separator matches (line terminator)", SPACES },
	{ "optional/ecmascript-regex.json",
	    "EM SPACE matches (Space_Separator)", SPACES },
	{ "optional/ecmascript-regex.json",
	    "latin-1 non-breaking-space does not match", SPACES },
	{ "optional/ecmascript-regex.json",
	    "zero-width whitespace does not match", SPACES },
	{ "optional/ecmascript-regex.json",
	    "paragraph separator does not match (line terminator)", SPACES },
	{ "optional/ecmascript-regex.json",
	    "EM SPACE does not match (Space_Separator)", SPACES },
};

static const char *suite;
static size_t held, groups_refused;

static char *
read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = malloc(1 << 20);

	if (f == NULL || text == NULL)
		fail_msg("%s cannot be read", path);
	*len = fread(text, 1, 1 << 20, f);
	assert_true(*len < 1 << 20);
	fclose(f);
	return text;
}

static char *
text_of(const struct json *object, const char *name)
{
	struct json value = json_get(object, name);
	char *text = calloc(1, value.len + 1);

	assert_true(json_decode_string(&value, text, value.len) >= 0);
	return text;
}

static bool
is_refused(const char *file, const char *group)
{
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (strcmp(refused[i].file, file) == 0 &&
		    strcmp(refused[i].group, group) == 0)
			return true;
	return false;
}

static bool
is_different(const char *file, const char *test)
{
	for (size_t i = 0; i < sizeof differs / sizeof differs[0]; i++)
		if (strcmp(differs[i].file, file) == 0 &&
		    strcmp(differs[i].test, test) == 0)
			return true;
	return false;
}

/* A newer suite has more groups; what is refused there must be for a reason
   that docs/server.md states. */
static bool
is_outside(const char *why)
{
	static const char *const reasons[] = {
		"is not among the keywords that are understood here",
		"leads out of this document",
		"only the whole document may have one here",
		"unknown property after \\P or \\p",
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (strstr(why, reasons[i]) != NULL)
			return true;
	return false;
}

/* Returns how many tests went wrong. */
static unsigned
run_group(const char *file, const struct json *group)
{
	struct json schema = json_get(group, "schema");
	struct json tests = json_get(group, "tests"), one;
	struct json_walk w = json_walk(&tests);
	char *about = text_of(group, "description");
	struct err e = { 0 };
	unsigned wrong = 0;
	size_t at;

	struct schema *s = schema_new(schema.text, schema.len, &at, &e);
	if (s == NULL && !is_refused(file, about) && is_outside(e.text)) {
		print_message("not listed: %s: %s: %s\n", file, about, e.text);
	} else if ((s == NULL) != is_refused(file, about)) {
		print_error("%s: %s: %s\n", file, about,
		    s == NULL ? e.text : "should have been refused");
		wrong++;
	}
	groups_refused += s == NULL;
	while (s != NULL && json_next_element(&w, &one)) {
		struct json data = json_get(&one, "data");
		bool valid = json_get(&one, "valid").kind == JSON_TRUE;
		char *test = text_of(&one, "description");
		struct schema_fault fault = { .text = "" };
		uint64_t left = 100000;
		int r = schema_judge(s, &data, &left, &fault);

		if ((r == 0) != (valid != is_different(file, test))) {
			print_error("%s: %s: %s: %d %s %s %s\n", file, about,
			    test, r, fault.at, fault.place, fault.text);
			wrong++;
		}
		if (r < 0)
			assert_true(fault.text[0] != '\0');
		held++;
		free(test);
	}
	schema_free(s);
	free(about);
	return wrong;
}

static unsigned
run_file(const char *file)
{
	struct json groups, one;
	char path[4096];
	unsigned wrong = 0;
	size_t len;

	snprintf(path, sizeof path, "%s/%s", suite, file);
	char *text = read_all(path, &len);
	assert_int_equal(json_check(text, len, &groups, NULL), 0);
	struct json_walk w = json_walk(&groups);
	while (json_next_element(&w, &one))
		wrong += run_group(file, &one);
	free(text);
	return wrong;
}

static bool
is_left_out(const char *file)
{
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
		if (strcmp(left_out[i].file, file) == 0)
			return true;
	return false;
}

/* Every file there is: none is passed over because nobody knew of it. */
static unsigned
run_folder(const char *below)
{
	char path[4096];
	struct dirent *entry;
	unsigned wrong = 0;

	snprintf(path, sizeof path, "%s/%s", suite, below);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char file[512];
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(file, sizeof file, "%s%s", below, entry->d_name);
		if (!is_left_out(file))
			wrong += run_file(file);
	}
	closedir(dir);
	return wrong;
}

static void
the_official_suite_is_held(void **state)
{
	DIR *dir;

	(void)state;
	suite = getenv("SCHEMA_SUITE");
	if (suite == NULL)
		suite = SUITE;
	dir = opendir(suite);
	if (dir == NULL) {
		print_message("SKIPPED: JSON Schema's test suite is not in %s; "
			      "contrib/install-deps test installs it\n",
		    suite);
		skip();
	}
	closedir(dir);
	unsigned wrong = run_folder("") + run_folder("optional/");
	print_message("%zu tests held, %zu groups refused, %zu files "
		      "left out\n",
	    held, groups_refused, sizeof left_out / sizeof left_out[0]);
	assert_int_equal(wrong, 0);
	assert_true(held > 800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_official_suite_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
