/*
 * A manager that takes nothing stops nobody, and hears what matters in the
 * end, in order.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/notices.h"

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

static int manager;
static char path[64];

/* Listens at a path, or at an abstract address when front is '@'. */
static void
listen_at(char front)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(path, sizeof path, "%c%s%d", front,
	    front == '/' ? "tmp/test_notices." : "test_notices.",
	    (int)getpid());
	size_t len = strlen(path);
	memcpy(at.sun_path, path, len);
	if (front == '@')
		at.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(
	    bind(manager, (struct sockaddr *)(void *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
		    (front == '/'))),
	    0);
	setenv("NOTIFY_SOCKET", path, 1);
}

static void
stop_listening(void)
{
	close(manager);
	if (path[0] == '/')
		unlink(path);
	unsetenv("NOTIFY_SOCKET");
}

static const char *
heard(void)
{
	static char text[NOTICES_TEXT_MAX + 1];
	ssize_t n = recv(manager, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
paths_and_abstract_addresses_are_reached(void **state)
{
	static const char fronts[] = "/@";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		listen_at(fronts[i]);
		struct notices *n = notices_new();
		assert_true(notices_wanted(n));
		notices_say(n, "READY=%d", 1);
		assert_string_equal(heard(), "READY=1");
		notices_hint(n, "STATUS=%s", "all is well");
		assert_string_equal(heard(), "STATUS=all is well");
		notices_free(n);
		stop_listening();
	}
}

static void
what_must_arrive_arrives_in_order_when_the_manager_wakes(void **state)
{
	char want[32];

	(void)state;
	listen_at('@');
	struct notices *n = notices_new();
	/* The kernel's queue has an end, and nobody reads. */
	int filled = 0;
	do
		notices_say(n, "fill %d", filled++);
	while (!notices_flush(n));
	assert_true(filled < 100000);
	for (int i = 1; i < NOTICES_MAX; i++)
		notices_say(n, "say %d", i);
	notices_hint(n, "lost");
	assert_true(notices_flush(n));

	for (int i = 0; i < filled - 1; i++) {
		snprintf(want, sizeof want, "fill %d", i);
		assert_string_equal(heard(), want);
	}
	(void)notices_flush(n);
	snprintf(want, sizeof want, "fill %d", filled - 1);
	assert_string_equal(heard(), want);
	for (int i = 1; i < NOTICES_MAX; i++) {
		(void)notices_flush(n);
		snprintf(want, sizeof want, "say %d", i);
		assert_string_equal(heard(), want);
	}
	assert_false(notices_flush(n));
	assert_string_equal(heard(), "");
	notices_free(n);
	stop_listening();
}

/* Nothing grows without a ceiling. */
static void
with_too_many_waiting_the_oldest_goes(void **state)
{
	(void)state;
	listen_at('@');
	struct notices *n = notices_new();
	int filled = 0;
	do
		notices_say(n, "fill %d", filled++);
	while (!notices_flush(n));
	for (int i = 0; i < NOTICES_MAX + 2; i++)
		notices_say(n, "say %d", i);
	while (strncmp(heard(), "fill", 4) == 0)
		;
	while (notices_flush(n))
		(void)heard();
	notices_say(n, "last");
	const char *first = heard();
	while (strncmp(first, "say", 3) != 0)
		first = heard();
	assert_string_equal(first, "say 2");
	notices_free(n);
	stop_listening();
}

static void
without_a_manager_nothing_happens(void **state)
{
	static const char *const bad[] = { "", "/", "@", "relative",
		"/tmp/no-such-socket-of-ours" };

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct notices *n = notices_new();
		notices_say(n, "READY=1");
		notices_hint(n, "STATUS=x");
		assert_false(notices_flush(n));
		notices_free(n);
		setenv("NOTIFY_SOCKET", bad[i], 1);
	}
	unsetenv("NOTIFY_SOCKET");
	notices_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_abstract_addresses_are_reached),
		cmocka_unit_test(
		    what_must_arrive_arrives_in_order_when_the_manager_wakes),
		cmocka_unit_test(with_too_many_waiting_the_oldest_goes),
		cmocka_unit_test(without_a_manager_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
