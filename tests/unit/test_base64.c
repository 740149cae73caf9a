/*
 * Base64 gives its bytes back, any bytes; what is not base64 is refused, not
 * read as far as it goes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const char *text, const char *want, size_t len)
{
	unsigned char out[256];
	ssize_t n = base64_decode(text, strlen(text), out);

	assert_int_equal(n, len);
	assert_memory_equal(out, want, len);
}

static void
bytes_come_back(void **state)
{
	(void)state;
	expect("", "", 0);
	expect("Zg==", "f", 1);
	expect("Zm8=", "fo", 2);
	expect("Zm9v", "foo", 3);
	expect("Zm9vYmFy", "foobar", 6);
	expect("AP8A", "\0\xff\0", 3);
	expect("Zm9v\r\nYmFy\n", "foobar", 6);
}

static void
other_text_is_refused(void **state)
{
	static const char *const bad[] = { "Zg=", "Zg", "Zm9v*", "Zm9vYg",
		"-Zg==", "Zm9v-Zm9v", "{}", "Zg==Zg==" };
	unsigned char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(
		    base64_decode(bad[i], strlen(bad[i]), out), -EINVAL);
	assert_int_equal(base64_decode("Zm\0v", 4, out), -EINVAL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back),
		cmocka_unit_test(other_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
