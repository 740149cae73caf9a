/*
 * One request a conversation; nobody can hold more than a place, and who
 * reads slowly loses lines and hears how many.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LAST "{\"done\":true}\n"

static char dir[32], path[64];
static struct ev_loop *loop;
static struct control_socket listener;
static struct control *control;
static size_t asked, gone, big;
static struct control_peer *staying[64];
static size_t nstaying;

static void
on_gone(void *data)
{
	assert_ptr_equal(data, &gone);
	gone++;
}

static void
on_asked(void *ctx, struct control_peer *p, const struct control_request *q)
{
	static const char line[] = "{\"a\":1}\n";
	static char block[4096];

	assert_ptr_equal(ctx, &asked);
	asked++;
	switch (q->verb) {
	case CONTROL_TAIL:
		assert_true(nstaying < 64);
		staying[nstaying++] = p;
		control_stay(p, on_gone, &gone);
		return;
	case CONTROL_QUIET:
		memset(block, 'x', sizeof block);
		block[sizeof block - 1] = '\n';
		for (big = 0; control_line(p, block, sizeof block); big++)
			;
		break;
	default:
		assert_true(control_line(p, line, sizeof line - 1));
		break;
	}
	control_last(p, LAST, sizeof LAST - 1);
}

static int
begin(void **state)
{
	struct err e;

	(void)state;
	asked = gone = nstaying = 0;
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	snprintf(dir, sizeof dir, "/tmp/test_control.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/s", dir);
	loop = ev_loop_new(EVFLAG_AUTO);
	if (control_socket_open(&listener, path, NULL, &e) < 0)
		return -1;
	control = control_new(loop, &listener, on_asked, &asked);
	return control != NULL ? 0 : -1;
}

static int
finish(void **state)
{
	(void)state;
	control_free(control);
	control_socket_close(&listener);
	ev_loop_destroy(loop);
	return rmdir(dir);
}

static int
dial(const char *text)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)(const void *)&sa, sizeof sa),
	    0);
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	return fd;
}

static void
turn(int times)
{
	while (times-- > 0)
		ev_run(loop, EVRUN_NOWAIT);
}

/* Turns the loop until the answer has ended. Returns its length. */
static size_t
hear(int fd, char *out, size_t cap)
{
	size_t len = 0;

	for (int turns = 0; turns < 1000000; turns++) {
		turn(1);
		ssize_t n = recv(fd, out + len, cap - 1 - len, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		assert_true(n >= 0);
		if (n == 0) {
			out[len] = '\0';
			close(fd);
			return len;
		}
		len += (size_t)n;
	}
	fail_msg("the answer did not end");
	return 0;
}

static void
one_request_one_answer(void **state)
{
	char text[4096];
	int fd;

	(void)state;
	hear(dial("{\"request\":\"status\"}\n"), text, sizeof text);
	assert_string_equal(text, "{\"a\":1}\n" LAST);
	/* A second one is not heard, and does not spoil the answer. */
	hear(dial("{\"request\":\"status\"}\n{\"request\":\"drain\"}\n"), text,
	    sizeof text);
	assert_string_equal(text, "{\"a\":1}\n" LAST);
	assert_int_equal(asked, 2);
	/* Byte by byte, and with our side ended at once. */
	fd = dial("");
	for (const char *s = "{\"request\":\"status\"}\n"; *s != '\0'; s++) {
		assert_int_equal(send(fd, s, 1, MSG_NOSIGNAL), 1);
		turn(1);
	}
	shutdown(fd, SHUT_WR);
	hear(fd, text, sizeof text);
	assert_string_equal(text, "{\"a\":1}\n" LAST);
	assert_int_equal(control_peers(control), 0);
}

static void
nonsense_is_told(void **state)
{
	static char line[CONTROL_LINE_MAX + 100];
	char text[4096];

	(void)state;
	hear(dial("GET / HTTP/1.1\r\n\r\n"), text, sizeof text);
	assert_non_null(strstr(text, "\"code\":\"bad-request\""));
	memset(line, 'x', sizeof line - 1);
	hear(dial(line), text, sizeof text);
	assert_non_null(strstr(text, "\"code\":\"bad-request\""));
	assert_non_null(strstr(text, "too long"));
	assert_int_equal(asked, 0);
}

static void
the_silent_make_way(void **state)
{
	int fds[CONTROL_PEERS + 8];
	char text[4096];

	(void)state;
	for (size_t i = 0; i < CONTROL_PEERS + 8; i++) {
		fds[i] = dial("{\"request\"");
		turn(1);
		assert_true(control_peers(control) <= CONTROL_PEERS);
	}
	hear(dial("{\"request\":\"status\"}\n"), text, sizeof text);
	assert_string_equal(text, "{\"a\":1}\n" LAST);
	for (size_t i = 0; i < CONTROL_PEERS + 8; i++)
		close(fds[i]);
	turn(100);
	assert_int_equal(control_peers(control), 0);
}

static void
a_full_house_is_told(void **state)
{
	int fds[CONTROL_PEERS];
	char text[4096];

	(void)state;
	for (size_t i = 0; i < CONTROL_PEERS; i++) {
		fds[i] = dial("{\"request\":\"tail\"}\n");
		turn(3);
	}
	assert_int_equal(nstaying, CONTROL_PEERS);
	hear(dial("{\"request\":\"status\"}\n"), text, sizeof text);
	assert_non_null(strstr(text, "\"code\":\"busy\""));
	/* Who hangs up makes room, and its owner hears of it. */
	close(fds[0]);
	turn(3);
	assert_int_equal(gone, 1);
	hear(dial("{\"request\":\"status\"}\n"), text, sizeof text);
	assert_string_equal(text, "{\"a\":1}\n" LAST);
	for (size_t i = 1; i < CONTROL_PEERS; i++)
		close(fds[i]);
	turn(100);
	assert_int_equal(gone, CONTROL_PEERS);
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *s = text; (s = strstr(s, word)) != NULL; s++)
		n++;
	return n;
}

static void
a_slow_reader_loses_lines_and_hears_how_many(void **state)
{
	enum { LINES = 5000 };
	static char text[4 * 1024 * 1024];
	char line[256];
	int fd = dial("{\"request\":\"tail\"}\n");
	size_t lost = 0;

	(void)state;
	turn(3);
	memset(line, 'y', sizeof line);
	line[sizeof line - 1] = '\n';
	/* Nothing is read meanwhile: both ends are soon full. */
	for (int i = 0; i < LINES; i++) {
		if (!control_line(staying[0], line, sizeof line))
			lost++;
		turn(1);
	}
	assert_true(lost > 0);
	control_last(staying[0], LAST, sizeof LAST - 1);
	hear(fd, text, sizeof text);
	assert_int_equal(gone, 0); /* it was not the one who left */
	assert_int_equal(count(text, "y\n"), LINES - lost);
	unsigned long long told = 0;
	const char *notice = strstr(text, "{\"left_out\":");
	assert_non_null(notice);
	assert_int_equal(sscanf(notice, "{\"left_out\":%llu}", &told), 1);
	assert_int_equal(told, lost);
	size_t len = strlen(text);
	assert_string_equal(text + len - strlen(LAST), LAST);
}

/* The notice comes where the gap is, and what follows is whole again. */
static void
the_gap_is_told_in_its_place(void **state)
{
	static char line[64 * 1024], text[2 * 1024 * 1024];
	static const char after[] = "after\n";
	int fd = dial("{\"request\":\"tail\"}\n");
	size_t len = 0;

	(void)state;
	turn(3);
	memset(line, 'y', sizeof line);
	line[sizeof line - 1] = '\n';
	while (control_line(staying[0], line, sizeof line))
		turn(1);
	assert_false(control_line(staying[0], line, sizeof line));
	for (int i = 0; i < 1000; i++) {
		turn(1);
		ssize_t n =
		    recv(fd, text + len, sizeof text - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_true(control_line(staying[0], after, sizeof after - 1));
	turn(3);
	len += (size_t)recv(fd, text + len, sizeof text - len, MSG_DONTWAIT);
	text[len] = '\0';
	assert_non_null(strstr(text, "y\n{\"left_out\":2}\nafter\n"));
	close(fd);
	turn(3);
	assert_int_equal(gone, 1);
}

static void
answers_not_taken_are_bounded(void **state)
{
	static char text[CONTROL_ANSWER_MAX + 65536];
	int fds[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fds[i] = dial("{\"request\":\"quiet\"}\n");
		turn(10);
		if (i < 1)
			assert_true(big >= CONTROL_ANSWER_MAX / 4096 - 1);
	}
	/* Two full ones are all that is held. */
	assert_true(big * 4096 < (size_t)1024 * 1024);
	size_t len = hear(fds[0], text, sizeof text);
	assert_true(len > (size_t)CONTROL_ANSWER_MAX - 4096);
	assert_string_equal(text + len - strlen(LAST), LAST);
	close(fds[1]);
	close(fds[2]);
	turn(100);
	assert_int_equal(control_peers(control), 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(one_request_one_answer),
		TEST(nonsense_is_told),
		TEST(the_silent_make_way),
		TEST(a_full_house_is_told),
		TEST(a_slow_reader_loses_lines_and_hears_how_many),
		TEST(the_gap_is_told_in_its_place),
		TEST(answers_not_taken_are_bounded),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
