/*
 * A failure told to a person is whole, has its context in front, and is cut
 * at the end of a character when it is too long.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void
set_formats_and_returns_the_code(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ENOENT, "open %s: %d", "f", 3), -ENOENT);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "open f: 3");
}

static void
wrap_puts_its_text_in_front(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERANGE, "0 is outside 1..1000");
	assert_int_equal(err_wrap(&e, "%s", "slots"), -ERANGE);
	assert_int_equal(err_wrap(&e, "a.yaml:%d:%d", 14, 9), -ERANGE);
	assert_string_equal(e.text, "a.yaml:14:9: slots: 0 is outside 1..1000");
}

static void
nobody_may_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ENOMEM, "x"), -ENOMEM);
	assert_int_equal(err_wrap(NULL, "x"), -EINVAL);
}

static void
its_own_text_may_be_an_argument(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, EIO, "first");
	err_set(&e, EIO, "%s, %s", e.text, "second");
	assert_string_equal(e.text, "first, second");
}

/* Every place of the cut within a character of two, three and four bytes. */
static void
what_is_too_long_ends_with_a_whole_character(void **state)
{
	static const char *const characters[] = { "x", "é", "€", "😀" };
	char text[1024];
	struct err e;

	(void)state;
	for (size_t c = 0; c < 4; c++) {
		size_t n = strlen(characters[c]);

		for (size_t shift = 0; shift < 4; shift++) {
			memset(text, 'a', shift);
			for (size_t i = shift; i + n < 800; i += n)
				strcpy(text + i, characters[c]);
			err_set(&e, EIO, "%s", text);
			size_t len = strlen(e.text);
			assert_true(len > sizeof e.text - 1 - n);
			assert_true(json_utf8_valid(e.text, len));
			assert_memory_equal(e.text, text, len);

			err_set(&e, EIO, "why");
			err_wrap(&e, "%s", text);
			assert_int_equal(strlen(e.text), len);
		}
	}
}

static void
the_cut_is_at_the_end_of_the_inner_text(void **state)
{
	char inner[600];
	struct err e;

	(void)state;
	memset(inner, 'i', sizeof inner - 1);
	inner[sizeof inner - 1] = '\0';
	err_set(&e, EIO, "%s", inner);
	err_wrap(&e, "outer");
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_memory_equal(e.text, "outer: iii", 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_formats_and_returns_the_code),
		cmocka_unit_test(wrap_puts_its_text_in_front),
		cmocka_unit_test(nobody_may_listen),
		cmocka_unit_test(its_own_text_may_be_an_argument),
		cmocka_unit_test(what_is_too_long_ends_with_a_whole_character),
		cmocka_unit_test(the_cut_is_at_the_end_of_the_inner_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
