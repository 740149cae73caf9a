/*
 * The name and the words of an error are found in what the interpreters
 * print, whatever the program printed around it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct sample {
	const char *text;
	const char *type; /* NULL: nothing is found */
	const char *message;
	const char *first; /* how the trace's first line begins */
	const char *last;  /* how its last line ends */
};

static void
equal(struct trace_span got, const char *want)
{
	char text[512];

	(void)snprintf(text, sizeof text, "%.*s", (int)got.len, got.bytes);
	assert_string_equal(text, want);
}

static void
check(enum trace_kind kind, const struct sample *s)
{
	char text[4096];
	struct trace t;
	int len = snprintf(text, sizeof text,
	    "reading rows: 3 of 9\nWarning: slow\n%s\n\n", s->text);

	bool found = trace_find(kind, text, (size_t)len, &t);
	if (s->type == NULL) {
		assert_false(found);
		return;
	}
	if (!found)
		fail_msg("nothing found in:\n%s", s->text);
	equal(t.type, s->type);
	equal(t.message, s->message);
	equal((struct trace_span){ t.lines.bytes, strlen(s->first) }, s->first);
	size_t n = strlen(s->last);
	assert_true(t.lines.len >= n);
	equal(
	    (struct trace_span){ t.lines.bytes + t.lines.len - n, n }, s->last);
}

#define CHECK_ALL(kind, samples)                                               \
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)        \
	check(kind, &samples[i])

static void
python(void **state)
{
	static const struct sample samples[] = {
		{ "Traceback (most recent call last):\n"
		  "  File \"a.py\", line 3, in f\n"
		  "    return json.loads(x)\n"
		  "           ^^^^^^^^^^^^^\n"
		  "json.decoder.JSONDecodeError: Expecting value: line 1\n"
		  "\n"
		  "The above exception was the direct cause of the following "
		  "exception:\n"
		  "\n"
		  "Traceback (most recent call last):\n"
		  "  File \"a.py\", line 8, in <module>\n"
		  "    f(3)\n"
		  "  [Previous line repeated 9 more times]\n"
		  "Oops: no such row\n"
		  "second line of the message",
		    "Oops", "no such row", "Traceback", "Oops: no such row" },
		{ "Traceback (most recent call last):\n"
		  "  File \"<string>\", line 1, in <module>\n"
		  "KeyboardInterrupt",
		    "KeyboardInterrupt", "", "Traceback", "KeyboardInterrupt" },
		{ "Traceback (most recent call last):\n"
		  "  File \"a.py\", line 1\n"
		  "requests.exceptions.ConnectTimeout: HTTPSConnectionPool\n"
		  "closing down",
		    "requests.exceptions.ConnectTimeout", "HTTPSConnectionPool",
		    "Traceback", "HTTPSConnectionPool" },
		{ "  File \"b.py\", line 1\n"
		  "    def f(:\n"
		  "          ^\n"
		  "SyntaxError: invalid syntax",
		    "SyntaxError", "invalid syntax", "  File \"b.py\"",
		    "invalid syntax" },
		{ "  + Exception Group Traceback (most recent call last):\n"
		  "  |   File \"<string>\", line 2, in <module>\n"
		  "  | ExceptionGroup: eg (2 sub-exceptions)\n"
		  "  +-+---------------- 1 ----------------\n"
		  "    | ValueError: 1\n"
		  "    +------------------------------------",
		    "ExceptionGroup", "eg (2 sub-exceptions)", "  + Exception",
		    "----" },
		{ "Traceback (most recent call last):\n  File \"a.py\"", NULL,
		    "", "", "" },
		{ "ValueError: only said, not raised", NULL, "", "", "" },
	};

	(void)state;
	CHECK_ALL(TRACE_PYTHON, samples);
}

static void
java(void **state)
{
	static const struct sample samples[] = {
		{ "Exception in thread \"main\" java.lang.RuntimeException: "
		  "job "
		  "failed\n"
		  "\tat A.main(A.java:2)\n"
		  "Caused by: java.lang.IllegalArgumentException: bad id\n"
		  "in two lines\n"
		  "\tat A.g(A.java:1)\n"
		  "\t... 1 more",
		    "java.lang.RuntimeException", "job failed",
		    "Exception in thread", "... 1 more" },
		{ "com.acme.Outer$Inner\n\tat A.main(A.java:2)",
		    "com.acme.Outer$Inner", "", "com.acme", "(A.java:2)" },
		{ "java.io.IOException: disk\n"
		  "and more of it\n"
		  "\tat A.main(A.java:2)\n"
		  "shutting down",
		    "java.io.IOException", "disk", "java.io", "(A.java:2)" },
		{ "java.io.IOException: disk, but no frames", NULL, "", "",
		    "" },
		{ "\tat A.main(A.java:2)", NULL, "", "", "" },
	};

	(void)state;
	CHECK_ALL(TRACE_JAVA, samples);
}

static void
ruby(void **state)
{
	static const struct sample samples[] = {
		{ "a.rb:3:in `rescue in <main>': no row (Oops)\n"
		  "\tfrom a.rb:3:in `<main>'\n"
		  "a.rb:2:in `f': bad (ArgumentError)\n"
		  "\tfrom a.rb:3:in `<main>'",
		    "Oops", "no row", "a.rb:3", "<main>'" },
		{ "a.rb:2:in 'Object#f': bad (id) (Acme::Error)", "Acme::Error",
		    "bad (id)", "a.rb:2", "(Acme::Error)" },
		{ "-e:1:in `<main>': unhandled exception", "RuntimeError",
		    "unhandled exception", "-e:1", "exception" },
		{ "-e:1:in `<main>': two (RuntimeError)\nlines", "RuntimeError",
		    "two", "-e:1", "(RuntimeError)" },
		{ "a.rb:2:in `f': no type here", NULL, "", "", "" },
		{ "plain words (Type)", NULL, "", "", "" },
	};

	(void)state;
	CHECK_ALL(TRACE_RUBY, samples);
}

static void
go(void **state)
{
	static const struct sample samples[] = {
		{ "panic: runtime error: index out of range [5] with length 0\n"
		  "\n"
		  "goroutine 1 [running]:\n"
		  "main.main()\n"
		  "\t/srv/a.go:3 +0x4b\n"
		  "exit status 2",
		    "runtime error", "index out of range [5] with length 0",
		    "panic: ", "exit status 2" },
		{ "panic: broken pipe [recovered, repanicked]\n\n"
		  "goroutine 1 [running]:",
		    "panic", "broken pipe", "panic: ", "[running]:" },
		{ "fatal error: all goroutines are asleep - deadlock!\n\n"
		  "goroutine 1 [chan receive]:",
		    "fatal error", "all goroutines are asleep - deadlock!",
		    "fatal error", "receive]:" },
		{ "panic: only said", NULL, "", "", "" },
	};

	(void)state;
	CHECK_ALL(TRACE_GO, samples);
}

static void
node(void **state)
{
	static const struct sample samples[] = {
		{ "/srv/a.js:1\n"
		  "throw new TypeError(\"boom\")\n"
		  "^\n"
		  "\n"
		  "TypeError: boom\n"
		  "more of it\n"
		  "    at f (/srv/a.js:1:25)\n"
		  "    ... 5 lines matching cause stack trace ...\n"
		  "    at node:internal/main:28:49 {\n"
		  "  [cause]: Error: inner\n"
		  "      at f (/srv/a.js:1:61)\n"
		  "}\n"
		  "\n"
		  "Node.js v20.20.2",
		    "TypeError", "boom", "TypeError: boom",
		    "internal/main:28:49 {" },
		{ "TypeError [ERR_INVALID_ARG_TYPE]: The \"path\" argument\n"
		  "    at f (/srv/a.js:1:25)",
		    "TypeError [ERR_INVALID_ARG_TYPE]", "The \"path\" argument",
		    "TypeError", "1:25)" },
		{ "Uncaught Acme$Error\n    at f (/srv/a.js:1:25)",
		    "Acme$Error", "", "Uncaught", "1:25)" },
		{ "[eval]:1\nthrow 3\n^\n3\n(Use `node --trace-uncaught ...`)",
		    NULL, "", "", "" },
	};

	(void)state;
	CHECK_ALL(TRACE_NODE, samples);
}

static void
php(void **state)
{
	static const struct sample samples[] = {
		{ "PHP Fatal error:  Uncaught InvalidArgumentException: bad id "
		  "in /srv/a.php:2\n"
		  "Stack trace:\n"
		  "#0 /srv/a.php(3): f()\n"
		  "#1 {main}\n"
		  "\n"
		  "Next Acme\\Oops: job failed in queue in /srv/a.php:3\n"
		  "Stack trace:\n"
		  "#0 {main}\n"
		  "  thrown in /srv/a.php on line 3\n"
		  "bye",
		    "Acme\\Oops", "job failed in queue", "PHP Fatal",
		    "on line 3" },
		{ "[24-Nov-2026 22:49:01 UTC] PHP Fatal error:  Uncaught "
		  "Error: "
		  "Call to undefined function nofn() in Command line code:1\n"
		  "  thrown in Command line code on line 1",
		    "Error", "Call to undefined function nofn()", "[24-Nov",
		    "line 1" },
		{ "Fatal error: Allowed memory size of 9 bytes exhausted in "
		  "/srv/a.php on line 1",
		    "Fatal error", "Allowed memory size of 9 bytes exhausted",
		    "Fatal error", "on line 1" },
		{ "PHP Parse error:  syntax error, unexpected end of file in "
		  "/srv/a.php on line 4",
		    "Parse error", "syntax error, unexpected end of file",
		    "PHP Parse", "line 4" },
		{ "PHP Warning:  undefined variable in /srv/a.php on line 4",
		    NULL, "", "", "" },
	};

	(void)state;
	CHECK_ALL(TRACE_PHP, samples);
}

static void
nothing_is_found_in_nothing(void **state)
{
	struct trace t;

	(void)state;
	for (int kind = TRACE_PYTHON; kind <= TRACE_PHP; kind++) {
		assert_false(trace_find((enum trace_kind)kind, "", 0, &t));
		assert_false(trace_find((enum trace_kind)kind, "\n\n", 2, &t));
	}
}

static void
only_the_last_lines_are_looked_at(void **state)
{
	static char text[3 * 3000 + 100];
	size_t len;
	struct trace t;

	(void)state;
	len = (size_t)sprintf(text, "panic: old\n\ngoroutine 1 [x]:\n");
	for (int i = 0; i < 3000; i++)
		len += (size_t)sprintf(text + len, "x\r\n");
	assert_false(trace_find(TRACE_GO, text, len, &t));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(python),
		cmocka_unit_test(java),
		cmocka_unit_test(ruby),
		cmocka_unit_test(go),
		cmocka_unit_test(node),
		cmocka_unit_test(php),
		cmocka_unit_test(nothing_is_found_in_nothing),
		cmocka_unit_test(only_the_last_lines_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
