/*
 * One request is cut off; everything else has its status.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int
status_of(const char *text)
{
	struct http_request q;

	return http_request_read(text, strlen(text), &q);
}

static void
requests_are_read(void **state)
{
	static const char get[] =
	    "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char head[] = "HEAD / HTTP/1.0\n\n";
	struct http_request q;

	(void)state;
	assert_int_equal(http_request_read(get, sizeof get - 1, &q), 200);
	assert_false(q.head);
	assert_int_equal(q.path_len, 8);
	assert_memory_equal(q.path, "/metrics", 8);
	assert_int_equal(http_request_read(head, sizeof head - 1, &q), 200);
	assert_true(q.head);
	for (size_t n = 0; n < sizeof get - 1; n++)
		assert_int_equal(http_request_read(get, n, &q), 0);
}

static void
others_have_their_status(void **state)
{
	(void)state;
	assert_int_equal(status_of("POST / HTTP/1.1\r\n"), 405);
	assert_int_equal(status_of("\r\n"), 400);
	assert_int_equal(status_of("GET\r\n"), 400);
	assert_int_equal(status_of("GET / HTTP/2.0\r\n"), 400);
	assert_int_equal(status_of("GET x HTTP/1.1\r\n"), 400);
	assert_int_equal(status_of("GET /\x01 HTTP/1.1\r\n"), 400);
	assert_int_equal(status_of("GET / x HTTP/1.1\r\n"), 400);
}

static void
long_requests_are_refused(void **state)
{
	static char text[HTTP_HEAD_MAX + 1];
	struct http_request q;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(http_request_read(text, HTTP_LINE_MAX, &q), 0);
	assert_int_equal(http_request_read(text, HTTP_LINE_MAX + 1, &q), 431);
	memcpy(text, "GET / HTTP/1.1\r\n", 16);
	assert_int_equal(http_request_read(text, HTTP_HEAD_MAX - 1, &q), 0);
	assert_int_equal(http_request_read(text, HTTP_HEAD_MAX, &q), 431);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(others_have_their_status),
		cmocka_unit_test(long_requests_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
