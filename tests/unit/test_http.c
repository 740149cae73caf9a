/*
 * One answer a connection, and nobody can hold more than a place in a short
 * line.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct ev_loop *loop;
static struct http *http;
static size_t asked, big;

static void
respond(void *ctx, const char *path, size_t len, struct http_answer *a)
{
	static const char block[4096] = { [0 ... 4095] = 'x' };

	assert_ptr_equal(ctx, &asked);
	asked++;
	if (len == 4 && memcmp(path, "/big", 4) == 0) {
		a->status = 200;
		for (size_t n = 0; n < big; n += sizeof block)
			assert_int_equal(
			    buf_append(a->body, block, sizeof block), 0);
	} else if (len == 2 && memcmp(path, "/a", 2) == 0) {
		a->status = 200;
		(void)buf_puts(a->body, "hello\n");
	}
}

static int
begin(void **state)
{
	struct err e;

	(void)state;
	asked = 0;
	big = 12 * 1024 * 1024;
	loop = ev_loop_new(EVFLAG_AUTO);
	http = http_new(loop, "127.0.0.1:0", respond, &asked, &e);
	return http != NULL ? 0 : -1;
}

static int
finish(void **state)
{
	(void)state;
	http_free(http);
	ev_loop_destroy(loop);
	return 0;
}

static int
dial(const char *text)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_port(http)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
	    connect(fd, (const struct sockaddr *)(const void *)&sa, sizeof sa),
	    0);
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	return fd;
}

/* Turns the loop until the answer has ended; what was said, without a NUL's. */
static void
hear(int fd, char *out, size_t cap)
{
	size_t len = 0;

	for (int turns = 0; turns < 100000; turns++) {
		ev_run(loop, EVRUN_NOWAIT);
		ssize_t n = recv(fd, out + len, cap - 1 - len, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		assert_true(n >= 0);
		if (n == 0) {
			out[len] = '\0';
			close(fd);
			return;
		}
		len += (size_t)n;
	}
	fail_msg("the answer did not end");
}

static void
answers(const char *request, const char *front, const char *end)
{
	char text[2048];

	hear(dial(request), text, sizeof text);
	if (strncmp(text, front, strlen(front)) != 0)
		fail_msg("%s was answered with %s", request, text);
	const char *body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	assert_string_equal(body + 4, end);
	assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
}

static void
each_request_has_its_answer(void **state)
{
	(void)state;
	answers("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n",
	    "hello\n");
	answers("GET /a?b=c HTTP/1.0\n\n", "HTTP/1.1 200 OK\r\n", "hello\n");
	answers("HEAD /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "");
	answers("GET /b HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n",
	    "404 Not Found\n");
	assert_int_equal(asked, 4);
	answers("POST /a HTTP/1.1\r\n", "HTTP/1.1 405 ",
	    "405 Method Not Allowed\n");
	answers("nonsense\r\n", "HTTP/1.1 400 ", "400 Bad Request\n");
	assert_int_equal(asked, 4);
}

static void
head_tells_the_length(void **state)
{
	char text[2048];

	(void)state;
	hear(dial("HEAD /a HTTP/1.1\r\n\r\n"), text, sizeof text);
	assert_non_null(strstr(text, "\r\nContent-Length: 6\r\n"));
}

static void
a_request_may_come_byte_by_byte(void **state)
{
	const char *request = "GET /a HTTP/1.1\r\n\r\n";
	char text[2048];
	int fd = dial("");

	(void)state;
	for (const char *s = request; *s != '\0'; s++) {
		assert_int_equal(send(fd, s, 1, MSG_NOSIGNAL), 1);
		ev_run(loop, EVRUN_NOWAIT);
	}
	hear(fd, text, sizeof text);
	assert_non_null(strstr(text, "hello"));
}

static void
a_line_without_end_is_refused(void **state)
{
	static char request[HTTP_BODY_MAX / 1024];
	char text[2048];
	int fd = dial("GET /");

	(void)state;
	memset(request, 'x', sizeof request);
	assert_true(send(fd, request, sizeof request, MSG_NOSIGNAL) > 0);
	hear(fd, text, sizeof text);
	assert_true(strncmp(text, "HTTP/1.1 431 ", 13) == 0);
}

static void
the_slow_make_way(void **state)
{
	int fds[HTTP_CONNS + 40];
	const size_t n = sizeof fds / sizeof fds[0];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		fds[i] = dial("GET /a");
		ev_run(loop, EVRUN_NOWAIT);
		assert_true(http_conns(http) <= HTTP_CONNS);
	}
	assert_int_equal(http_conns(http), HTTP_CONNS);
	answers("GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "hello\n");
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	for (int i = 0; i < 100 && http_conns(http) > 0; i++)
		ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(http_conns(http), 0);
}

/* Three answers of 12 MiB that nobody takes: the third is not made. */
static void
answers_not_taken_are_bounded(void **state)
{
	int fds[2];
	char text[2048];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fds[i] = dial("GET /big HTTP/1.1\r\n\r\n");
		for (int k = 0; k < 200; k++)
			ev_run(loop, EVRUN_NOWAIT);
	}
	assert_int_equal(asked, 2);
	hear(dial("GET /big HTTP/1.1\r\n\r\n"), text, sizeof text);
	assert_true(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
	close(fds[0]);
	close(fds[1]);
}

static void
a_big_answer_arrives_whole(void **state)
{
	static char text[13 * 1024 * 1024];

	(void)state;
	hear(dial("GET /big HTTP/1.1\r\n\r\n"), text, sizeof text);
	const char *body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(strlen(body + 4), big);
}

static void
an_address_in_use_is_told(void **state)
{
	char address[40];
	struct err e;

	(void)state;
	snprintf(address, sizeof address, "127.0.0.1:%u", http_port(http));
	assert_null(http_new(loop, address, respond, &asked, &e));
	assert_int_equal(e.code, EADDRINUSE);
	assert_non_null(strstr(e.text, address));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(each_request_has_its_answer),
		TEST(head_tells_the_length),
		TEST(a_request_may_come_byte_by_byte),
		TEST(a_line_without_end_is_refused),
		TEST(the_slow_make_way),
		TEST(answers_not_taken_are_bounded),
		TEST(a_big_answer_arrives_whole),
		TEST(an_address_in_use_is_told),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
