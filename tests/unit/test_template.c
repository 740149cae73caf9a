/*
 * One template gives one argument whatever the data; only a lone spread gives
 * several. What does not fit is refused, never passed on as an empty string.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct template_data
data_of(const char *args, const char *custom)
{
	struct template_data d = {
		.jid = "8f2c-jid",
		.jobtype = "resize",
		.queue = "default",
		.attempt = 3,
	};

	if (args != NULL)
		assert_int_equal(
		    json_check(args, strlen(args), &d.args, NULL), 0);
	if (custom != NULL)
		assert_int_equal(
		    json_check(custom, strlen(custom), &d.custom, NULL), 0);
	return d;
}

/* Results as "<one><two>", a '!' before what begins with data. */
struct result {
	char text[256];
	int stop; /* what emit answers */
};

static int
emit(void *ctx, const char *bytes, size_t len, bool from_data)
{
	struct result *r = ctx;
	size_t at = strlen(r->text);

	snprintf(r->text + at, sizeof r->text - at, "%s<%.*s>",
	    from_data ? "!" : "", (int)len, bytes);
	return r->stop;
}

static int
fill(const char *text, const char *args, const char *custom, struct result *out,
    struct err *e)
{
	struct template_data d = data_of(args, custom);
	struct template *t = template_parse(text, e);

	if (t == NULL)
		fail_msg("%s: %s", text, e->text);
	out->text[0] = '\0';
	int r = template_fill(t, &d, false, emit, out, e);
	template_free(t);
	return r;
}

static void
holes_are_filled_from_the_job(void **state)
{
	static const char args[] =
	    "[{\"id\":9007199254740993,\"f\":1.0,\"name\":\"a\\u00fc\\\"\","
	    "\"a.b\":\"dotted\",\"a\":{\"b\":\"nested\",\"c\":\"only\"},"
	    "\"yes\":true,\"no\":false,\"nil\":null,\"list\":[1, {\"x\" : 2}],"
	    "\"7\":\"seven\",\"e\":\"\"},\"second\"]";
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "<>" },
		{ "plain", "<plain>" },
		{ "{args.0.id}", "!<9007199254740993>" },
		{ "{args.0.f}", "!<1.0>" },
		{ "{args.0.name}", "!<a\xc3\xbc\">" },
		{ "--n={args.0.name}", "<--n=a\xc3\xbc\">" },
		{ "{args.0.yes}{args.0.no}", "!<truefalse>" },
		{ "{args.0.list}", "!<[1,{\"x\":2}]>" },
		{ "{args.0.list.1.x}", "!<2>" },
		{ "{args.1}", "!<second>" },
		{ "{args[1]}", "!<second>" },
		{ "{args.0.7}", "!<seven>" },
		{ "{args.0.a.b}", "!<dotted>" },
		{ "{args.0[\"a.b\"]}", "!<dotted>" },
		{ "{args.0[\"a\"][\"b\"]}", "!<nested>" },
		{ "{args.0[\"a\"].b}", "!<nested>" },
		{ "{args.0.a.c}", "!<only>" },
		{ "{args.0.size?thumb}", "<thumb>" },
		{ "{args.0.nil?}", "<>" },
		{ "{args.0.nil?x y}", "<x y>" },
		{ "{args.0.id?x}", "!<9007199254740993>" },
		{ "{args.0.e}-v", "!<-v>" },
		{ "{args.0.nil?-}{args.0.e}", "<->" },
		{ "{args.0.nil?}{args.1}", "!<second>" },
		{ "{jid}", "!<8f2c-jid>" },
		{ "{queue}", "!<default>" },
		{ "{jobtype}-{attempt}", "<resize-3>" },
		{ "{custom.tenant.id}", "!<t1>" },
		{ "{{args.0}} }}{{", "<{args.0} }{>" },
		{ "{{{args.1}}}", "<{second}>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		struct result got = { 0 };
		int r = fill(cases[i].text, args,
		    "{\"tenant\":{\"id\":\"t1\"}}", &got, &e);

		if (r < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_string_equal(got.text, cases[i].want);
	}
}

static void
only_a_lone_spread_gives_several(void **state)
{
	struct err e = { 0 };
	struct result got = { 0 };

	(void)state;
	assert_int_equal(
	    fill("{args...}", "[\"a b\",2,true,\"\"]", NULL, &got, &e), 0);
	assert_string_equal(got.text, "!<a b>!<2>!<true>!<>");
	assert_int_equal(fill("{args.0...}", "[[]]", NULL, &got, &e), 0);
	assert_string_equal(got.text, "");
	got.stop = -E2BIG;
	assert_int_equal(fill("{args...}", "[1,2]", NULL, &got, &e), -E2BIG);
	assert_string_equal(got.text, "!<1>");
}

static void
data_that_does_not_fit_is_refused_without_showing_it(void **state)
{
	static const struct {
		const char *text, *args, *want;
	} cases[] = {
		{ "{args.0.id}", "[{}]", "{args.0.id} is missing" },
		{ "{args.0.id}", "[]", "{args.0.id} is missing" },
		{ "{args.0.id}", NULL, "{args.0.id} is missing" },
		{ "{args.0.id}", "[\"id\"]", "{args.0.id} is missing" },
		{ "{args.00}", "[1]", "{args.00} is missing" },
		{ "{args.4294967296}", "[1]", "{args.4294967296} is missing" },
		{ "{args.-1}", "[1]", "{args.-1} is missing" },
		{ "{custom.x}", "[1]", "{custom.x} is missing" },
		{ "a{args.0}", "[null]", "{args.0} is null" },
		{ "{args.0}", "[\"s\\u0000t\"]", "{args.0} holds a NUL byte" },
		{ "{args...}", "[1,null]",
		    "{args...} has null as element 1, expected scalars" },
		{ "{args...}", "[[1]]",
		    "{args...} has an array as element 0, expected scalars" },
		{ "{args.0...}", "[\"x\"]",
		    "{args.0...} is a string, expected an array" },
		{ "{args.1...}", "[1]", "{args.1...} is missing" },
		{ "{args.0...}", "[null]", "{args.0...} is null" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		struct result got = { 0 };

		assert_int_equal(
		    fill(cases[i].text, cases[i].args, NULL, &got, &e),
		    -EINVAL);
		assert_string_equal(e.text, cases[i].want);
	}
}

static void
an_element_has_a_ceiling(void **state)
{
	struct err e = { 0 };
	struct result got = { 0 };
	char *args = malloc(TEMPLATE_ELEMENT_MAX + 6);

	(void)state;
	memset(args, 'x', TEMPLATE_ELEMENT_MAX + 6);
	memcpy(args, "[\"", 2);
	strcpy(args + TEMPLATE_ELEMENT_MAX + 2, "\"]");
	assert_int_equal(fill("{args.0}", args, NULL, &got, &e), 0);
	assert_int_equal(fill("{args.0}{jid}", args, NULL, &got, &e), -EINVAL);
	assert_string_equal(e.text, "{jid} makes it longer than 131071 bytes");
	assert_int_equal(fill("-{args.0}", args, NULL, &got, &e), -EINVAL);
	assert_string_equal(
	    e.text, "{args.0} makes it longer than 131071 bytes");
	assert_int_equal(fill("{args.0}-", args, NULL, &got, &e), -EINVAL);
	assert_string_equal(e.text, "longer than 131071 bytes");
	free(args);
}

static void
bytes_must_be_utf8_unless_any_are_allowed(void **state)
{
	struct err e = { 0 };
	struct result got = { 0 };
	struct template_data d = { .jid = "\xff" };
	struct template *t = template_parse("{jid}", &e);

	(void)state;
	assert_int_equal(template_fill(t, &d, false, emit, &got, &e), -EINVAL);
	assert_string_equal(e.text, "{jid} is not UTF-8");
	assert_int_equal(template_fill(t, &d, true, emit, &got, &e), 0);
	assert_string_equal(got.text, "!<\xff>");
	template_free(t);
}

static void
mistakes_name_the_column(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "--size={arg.0}",
		    "column 9: \"arg\" is unknown, expected args, custom, jid, "
		    "jobtype, queue or attempt (a brace is {{)" },
		{ "{}",
		    "column 2: \"\" is unknown, expected args, custom, jid, "
		    "jobtype, queue or attempt (a brace is {{)" },
		{ "\xc3\xbc}",
		    "column 2: a } without {, expected }} for a brace" },
		{ "{args.0", "column 8: expected } here" },
		{ "{args.0 }",
		    "column 8: \" \" does not fit here, expected }" },
		{ "{args.}",
		    "column 7: expected a name or a number after the dot" },
		{ "{args[x]}", "column 7: expected [\"name\"] or [number]" },
		{ "{args[]}", "column 7: expected [\"name\"] or [number]" },
		{ "{args[\"x}", "column 10: expected [\"name\"] or [number]" },
		{ "{jid.x}", "column 5: jid has no parts" },
		{ "{jid...}", "column 8: {jid...} is never an array" },
		{ "{args.0?a{b}",
		    "column 10: a brace cannot stand in a default" },
		{ "x{args...}",
		    "column 11: {args...} must stand alone: it makes several "
		    "arguments" },
		{ "{args...}x",
		    "column 11: {args...} must stand alone: it makes several "
		    "arguments" },
		{ "{args.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a}",
		    "column 38: more than 16 steps" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		struct template *t = template_parse(cases[i].text, &e);

		assert_null(t);
		assert_string_equal(e.text, cases[i].want);
	}
}

static void
what_can_be_asked_about_a_template(void **state)
{
	static const struct {
		const char *text, *shown;
		bool literal, spreads, data;
	} cases[] = {
		{ "", "", true, false, false },
		{ "--x", "--x", true, false, false },
		{ "a{{b}}", "a{b}", true, false, false },
		{ "{args.0}", "{args.0}", false, false, true },
		{ "{args.0?x}", "{args.0?x}", false, false, true },
		{ "{args...}", "{args...}", false, true, true },
		{ "{jid}", "{jid}", false, false, true },
		{ "{attempt}", "{attempt}", false, false, false },
		{ "{jobtype}", "{jobtype}", false, false, false },
		{ "--x={args.0}", "--x={args.0}", false, false, false },
	};
	struct result got = { 0 };
	struct template_data none = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *t = template_parse(cases[i].text, &e);

		assert_non_null(t);
		assert_string_equal(template_text(t), cases[i].shown);
		assert_int_equal(template_is_literal(t), cases[i].literal);
		assert_int_equal(template_spreads(t), cases[i].spreads);
		assert_int_equal(template_begins_with_data(t), cases[i].data);
		template_free(t);
	}
	struct template *t = template_literal("a{args.0}");
	assert_true(template_is_literal(t));
	assert_int_equal(template_fill(t, &none, false, emit, &got, &e), 0);
	assert_string_equal(got.text, "<a{args.0}>");
	template_free(t);
	template_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_filled_from_the_job),
		cmocka_unit_test(only_a_lone_spread_gives_several),
		cmocka_unit_test(
		    data_that_does_not_fit_is_refused_without_showing_it),
		cmocka_unit_test(an_element_has_a_ceiling),
		cmocka_unit_test(bytes_must_be_utf8_unless_any_are_allowed),
		cmocka_unit_test(mistakes_name_the_column),
		cmocka_unit_test(what_can_be_asked_about_a_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
