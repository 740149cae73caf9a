/*
 * Both ends agree on who is there and whether the password is known, and a
 * hostile peer's greeting or HELLO costs no more than its limits.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/extension.h"

/* Computed with another implementation of SHA-256. */
static const struct {
	const char *password, *salt;
	uint32_t rounds;
	const char *hex;
} hashes[] = {
	{ "password", "55104dc76695721d", 1545,
	    "9bf0dff8aa6b4ac3f1199cc8159b25d08e4b945ea6c37671c5a1774603041ed"
	    "c" },
	{ "", "", 1,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
	    "5" },
	{ "pässword", "5f", 2,
	    "2915ca5a21e3994521315776e090cc65fff2aba36eb77a76efd0a52de8d661c"
	    "2" },
	{ "hello", "57ee4f8a4a383850", 4422,
	    "493d4af16ceb2591fe48091dbd1e6738ffe5735a04b723fda992fa8120d65eb"
	    "3" },
};

static void
greetings_are_read(void **state)
{
	static const struct {
		const char *text;
		struct greeting want;
	} cases[] = {
		{ "HI {\"v\":2}", { 2, 0, "", 0 } },
		{ "HI {\"v\":2,\"i\":7270,\"s\":\"24d7af3d5dbfe96b\"}",
		    { 2, 7270, "24d7af3d5dbfe96b", 0 } },
		{ "HI { \"s\": \"a\\u0062\", \"x\":[\"a\"], \"i\": 1, "
		  "\"v\": 3 }",
		    { 3, 1, "ab", 0 } },
		{ "HI {\"v\":2,\"x\":[\"release\",\"later\",7,\"cancel\"]}",
		    { 2, 0, "", EXTENSION_RELEASE | EXTENSION_CANCEL } },
		{ "HI "
		  "{\"v\":2,\"x\":[\"fail-retry\",\"result\",[\"release\"]]}",
		    { 2, 0, "", EXTENSION_FAIL_RETRY | EXTENSION_RESULT } },
		{ "HI {\"v\":2,\"x\":{\"release\":true}}", { 2, 0, "", 0 } },
		{ "HI {\"v\":2,\"i\":null,\"s\":null}", { 2, 0, "", 0 } },
		{ "HI {\"v\":2,\"i\":1048576,\"s\":\"\"}",
		    { 2, 1048576, "", 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct greeting g;
		struct err e;

		if (greeting_parse(
			cases[i].text, strlen(cases[i].text), &g, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_int_equal(g.version, cases[i].want.version);
		assert_int_equal(g.rounds, cases[i].want.rounds);
		assert_string_equal(g.salt, cases[i].want.salt);
		assert_int_equal(g.extensions, cases[i].want.extensions);
	}
}

static void
other_greetings_are_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *message;
	} cases[] = {
		{ "", -EINVAL,
		    "greeting: does not begin with \"HI {\"; "
		    "this is no Faktory server" },
		{ "SSH-2.0-OpenSSH", -EINVAL,
		    "greeting: does not begin with \"HI {\"; "
		    "this is no Faktory server" },
		{ "HI {\"v\":2", -EINVAL,
		    "greeting: invalid JSON: unexpected end at byte 6" },
		{ "HI [2]", -EINVAL, "greeting: expected a JSON object" },
		{ "HI {}", -EINVAL,
		    "greeting: the version must be an integer" },
		{ "HI {\"v\":\"2\"}", -EINVAL,
		    "greeting: the version must be an integer" },
		{ "HI {\"v\":2,\"s\":\"5f\"}", -EINVAL,
		    "greeting: the number of hash rounds must be an integer "
		    "above 0" },
		{ "HI {\"v\":2,\"i\":0,\"s\":\"5f\"}", -EINVAL,
		    "greeting: the number of hash rounds must be an integer "
		    "above 0" },
		{ "HI {\"v\":2,\"i\":4000}", -EINVAL,
		    "greeting: the salt must be a string" },
		{ "HI {\"v\":2,\"i\":1048577,\"s\":\"5f\"}", -ERANGE,
		    "greeting: asks for 1048577 hash rounds, more than "
		    "1048576" },
		{ "HI {\"v\":2,\"i\":1,\"s\":\"a\\u0000b\"}", -EINVAL,
		    "greeting: the salt must be a string" },
		{ "HI {\"v\":2,\"i\":1,\"s\":\"0123456789012345678901234567"
		  "8901234567890123456789012345678901234\"}",
		    -ERANGE, "greeting: the salt is longer than 64 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct greeting g = { .version = 77 };
		struct err e;

		assert_int_equal(greeting_parse(cases[i].text,
				     strlen(cases[i].text), &g, &e),
		    cases[i].want);
		assert_string_equal(e.text, cases[i].message);
		assert_int_equal(g.version, 77);
	}
}

static void
is(struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_front(b), want, strlen(want));
	buf_clear(b);
}

static void
greetings_are_written_as_clients_know_them(void **state)
{
	struct greeting plain = { 2, 0, "", 0 };
	struct greeting asking = { 2, 4422, "57ee4f8a4a383850", 0 };
	struct buf *b = buf_new(100);

	(void)state;
	assert_int_equal(greeting_put(b, &plain), 0);
	is(b, "+HI {\"v\":2}\r\n");
	assert_int_equal(greeting_put(b, &asking), 0);
	is(b, "+HI {\"v\":2,\"i\":4422,\"s\":\"57ee4f8a4a383850\"}\r\n");
	struct greeting offering = { 2, 0, "",
		EXTENSION_RELEASE | EXTENSION_RESULT };
	assert_int_equal(greeting_put(b, &offering), 0);
	is(b, "+HI {\"v\":2,\"x\":[\"release\",\"result\"]}\r\n");
	buf_free(b);
}

static void
each_greeting_is_salted_anew(void **state)
{
	struct greeting a, b;

	(void)state;
	assert_int_equal(greeting_make(&a, true), 0);
	assert_int_equal(greeting_make(&b, true), 0);
	assert_int_equal(strlen(a.salt), 16);
	assert_int_equal(strspn(a.salt, "0123456789abcdef"), 16);
	assert_string_not_equal(a.salt, b.salt);
	assert_in_range(a.rounds, 4000, 8095);
	assert_in_range(b.rounds, 4000, 8095);
	assert_int_equal(greeting_make(&a, false), 0);
	assert_int_equal(a.rounds, 0);
	assert_string_equal(a.salt, "");
	assert_int_equal(a.version, 2);
}

static void
hello_is_read(void **state)
{
	static const char text[] =
	    "{\"V\":2,\"wid\":\"old\",\"Wid\":\"4qpc\",\"hostname\":"
	    "\"h\\u00e9\","
	    "\"pid\":2676,\"labels\":[\"blue\",\"\"],\"username\":\"u\","
	    "\"pwdhash\":\"ab\",\"rss_kb\":123,\"new\":{\"a\":[1]}}";
	struct hello h;
	struct err e;

	(void)state;
	assert_int_equal(hello_parse(text, strlen(text), &h, &e), 0);
	assert_int_equal(h.version, 2);
	assert_string_equal(h.wid, "4qpc");
	assert_string_equal(h.hostname, "hé");
	assert_string_equal(h.username, "u");
	assert_string_equal(h.pwdhash, "ab");
	assert_true(h.pid == 2676 && h.rss_kb == 123);
	assert_int_equal(h.nlabels, 2);
	assert_string_equal(h.labels[0], "blue");
	assert_string_equal(h.labels[1], "");
	hello_clear(&h);
	assert_null(h.wid);
	hello_clear(&h);
}

static void
a_producer_says_little(void **state)
{
	static const char *const texts[] = { "{}", "{\"wid\":\"\"}",
		"{\"wid\":null,\"labels\":null,\"pid\":null}" };
	struct hello h;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    hello_parse(texts[i], strlen(texts[i]), &h, &e), 0);
		assert_null(h.wid);
		assert_int_equal(h.version, 0);
		assert_int_equal(h.nlabels, 0);
		hello_clear(&h);
	}
}

static void
wrong_hellos_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{", "HELLO: invalid JSON: unexpected end at byte 1" },
		{ "[]", "HELLO: expected a JSON object" },
		{ "{\"v\":256}", "HELLO: v must be from 0 to 255" },
		{ "{\"v\":-1}", "HELLO: v must be from 0 to 255" },
		{ "{\"v\":\"2\"}", "HELLO: v must be an integer" },
		{ "{\"pid\":1.5}", "HELLO: pid must be an integer" },
		{ "{\"rss_kb\":[]}", "HELLO: rss_kb must be an integer" },
		{ "{\"wid\":5}", "HELLO: wid must be a string" },
		{ "{\"wid\":\"a\\u0000\"}", "HELLO: wid must be a string" },
		{ "{\"labels\":\"x\"}", "HELLO: labels must be an array" },
		{ "{\"wid\":\"w\",\"labels\":[\"a\",1]}",
		    "HELLO: a label must be a string of at most 1024 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct hello h;
		struct err e;

		assert_int_equal(
		    hello_parse(cases[i].text, strlen(cases[i].text), &h, &e),
		    -EINVAL);
		assert_string_equal(e.text, cases[i].message);
	}
}

static void
hello_has_limits(void **state)
{
	char text[4096];
	struct hello h;
	struct err e;

	(void)state;
	int n = snprintf(text, sizeof text, "{\"wid\":\"%01024d\"}", 0);
	assert_int_equal(hello_parse(text, (size_t)n, &h, &e), 0);
	hello_clear(&h);
	n = snprintf(text, sizeof text, "{\"wid\":\"%01025d\"}", 0);
	assert_int_equal(hello_parse(text, (size_t)n, &h, &e), -EINVAL);
	assert_string_equal(e.text, "HELLO: wid is longer than 1024 bytes");

	strcpy(text, "{\"labels\":[\"a\"");
	for (int i = 1; i < 64; i++)
		strcat(text, ",\"a\"");
	size_t len = strlen(text);
	strcpy(text + len, "]}");
	assert_int_equal(hello_parse(text, len + 2, &h, &e), 0);
	assert_int_equal(h.nlabels, 64);
	hello_clear(&h);
	strcpy(text + len, ",\"a\"]}");
	assert_int_equal(hello_parse(text, len + 6, &h, &e), -EINVAL);
	assert_string_equal(e.text, "HELLO: more than 64 labels");
}

static void
hello_is_written(void **state)
{
	char *labels[] = { (char[]){ "blue" }, (char[]){ "\"" } };
	struct hello worker = {
		.wid = (char[]){ "4qpc" },
		.hostname = (char[]){ "h1" },
		.username = (char[]){ "u" },
		.pid = 2676,
		.rss_kb = 9,
		.labels = labels,
		.nlabels = 2,
	};
	struct hello producer = { 0 };
	struct greeting plain = { 2, 0, "", 0 }, offering = plain;
	struct greeting asking = { 2, hashes[3].rounds, "", 0 };
	struct buf *b = buf_new(500);
	char want[200];

	(void)state;
	strcpy(asking.salt, hashes[3].salt);
	assert_int_equal(hello_put(b, &worker, &plain, "hello"), 0);
	is(b,
	    "HELLO {\"v\":2,\"wid\":\"4qpc\",\"hostname\":\"h1\","
	    "\"pid\":2676,\"labels\":[\"blue\",\"\\\"\"],"
	    "\"username\":\"u\",\"rss_kb\":9}\r\n");
	assert_int_equal(hello_put(b, &producer, &plain, NULL), 0);
	is(b, "HELLO {\"v\":2}\r\n");
	assert_int_equal(hello_put(b, &producer, &asking, NULL), 0);
	is(b, "HELLO {\"v\":2}\r\n");
	offering.extensions = EXTENSION_RELEASE | EXTENSION_CANCEL;
	assert_int_equal(hello_put(b, &producer, &offering, NULL), 0);
	is(b, "HELLO {\"v\":2,\"x\":[\"release\",\"cancel\"]}\r\n");
	assert_int_equal(hello_put(b, &producer, &asking, "hello"), 0);
	snprintf(want, sizeof want, "HELLO {\"v\":2,\"pwdhash\":\"%s\"}\r\n",
	    hashes[3].hex);
	is(b, want);
	buf_free(b);

	b = buf_new(40);
	assert_int_equal(hello_put(b, &producer, &asking, "hello"), -ENOBUFS);
	is(b, "");
	buf_free(b);
}

static void
hashes_are_chained_over_the_raw_digest(void **state)
{
	char hex[HELLO_HASH_HEX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
		assert_int_equal(password_hash(hashes[i].password,
				     hashes[i].salt, hashes[i].rounds, hex),
		    0);
		assert_string_equal(hex, hashes[i].hex);
	}
}

static void
only_the_right_hash_proves_the_password(void **state)
{
	struct greeting g = { 2, 1545, "55104dc76695721d", 0 };
	struct greeting open = { 2, 0, "", 0 };
	char hash[HELLO_HASH_HEX + 1];
	struct hello h = { .version = 2, .pwdhash = hash };

	(void)state;
	strcpy(hash, hashes[0].hex);
	assert_true(password_proved(&h, &g, "password"));
	assert_false(password_proved(&h, &g, "passwore"));
	assert_false(password_proved(&h, &open, "password"));
	for (size_t i = 0; i < HELLO_HASH_HEX; i++) {
		hash[i] ^= 1;
		assert_false(password_proved(&h, &g, "password"));
		hash[i] ^= 1;
	}
	hash[63] = '\0';
	assert_false(password_proved(&h, &g, "password"));
	strcpy(hash, hashes[0].hex);
	for (char *c = hash; *c != '\0'; c++)
		*c = *c >= 'a' ? (char)(*c - 32) : *c;
	assert_false(password_proved(&h, &g, "password"));
	h.pwdhash = NULL;
	assert_false(password_proved(&h, &g, "password"));
}

/* Version 1 hashed once: whoever listens could guess quickly. */
static void
an_old_version_proves_nothing(void **state)
{
	struct greeting g = { 2, 1545, "55104dc76695721d", 0 };
	char hash[HELLO_HASH_HEX + 1];
	struct hello h = { .version = 1, .pwdhash = hash };

	(void)state;
	strcpy(hash, hashes[0].hex);
	assert_false(password_proved(&h, &g, "password"));
	assert_int_equal(password_hash("password", g.salt, 1, hash), 0);
	assert_false(password_proved(&h, &g, "password"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greetings_are_read),
		cmocka_unit_test(other_greetings_are_refused),
		cmocka_unit_test(greetings_are_written_as_clients_know_them),
		cmocka_unit_test(each_greeting_is_salted_anew),
		cmocka_unit_test(hello_is_read),
		cmocka_unit_test(a_producer_says_little),
		cmocka_unit_test(wrong_hellos_are_refused),
		cmocka_unit_test(hello_has_limits),
		cmocka_unit_test(hello_is_written),
		cmocka_unit_test(hashes_are_chained_over_the_raw_digest),
		cmocka_unit_test(only_the_right_hash_proves_the_password),
		cmocka_unit_test(an_old_version_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
