/*
 * systemd hears what it needs, once; and nothing where it does not listen.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/notify.h"

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

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"

struct sample {
	int socket;
	char path[64];
	struct ev_loop *loop;
	struct notify *notify;
	char status[64];
};

static void
write_status(void *ctx, char *out, size_t cap)
{
	struct sample *s = ctx;

	snprintf(out, cap, "%s", s->status);
}

static void
set_up(struct sample *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memset(s, 0, sizeof *s);
	snprintf(s->path, sizeof s->path, "@faktotum-test-%d", (int)getpid());
	snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "%s", s->path + 1);
	s->socket =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(
	    bind(s->socket, (struct sockaddr *)(void *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    strlen(s->path))),
	    0);
	setenv("NOTIFY_SOCKET", s->path, 1);
	snprintf(s->status, sizeof s->status, "one");
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->notify = notify_new(s->loop, write_status, s);
}

static void
tear_down(struct sample *s)
{
	notify_free(s->notify);
	ev_loop_destroy(s->loop);
	close(s->socket);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

/* The next message; "" when there is none. */
static const char *
heard(struct sample *s)
{
	static char text[512];
	ssize_t n = recv(s->socket, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
ready_and_stopping_are_said_once(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	notify_ready(s.notify);
	notify_ready(s.notify);
	assert_string_equal(heard(&s), "READY=1\nSTATUS=one");
	assert_string_equal(heard(&s), "");
	snprintf(s.status, sizeof s.status, "two");
	notify_look(s.notify);
	notify_look(s.notify);
	assert_string_equal(heard(&s), "STATUS=two");
	snprintf(s.status, sizeof s.status, "three");
	notify_stopping(s.notify);
	notify_stopping(s.notify);
	assert_string_equal(heard(&s),
	    "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nSTATUS=three");
	assert_string_equal(heard(&s), "");
	tear_down(&s);
}

/* A manager whose own limit is shorter than the drain must not kill us. */
static void
while_it_ends_more_time_is_asked_for_again_and_again(void **state)
{
	struct sample s;
	int asked = 0;

	(void)state;
	set_up(&s);
	notify_ready(s.notify);
	notify_stopping(s.notify);
	heard(&s);
	heard(&s);
	while (asked < 2) {
		ev_run(s.loop, EVRUN_ONCE);
		asked += strcmp(heard(&s), "EXTEND_TIMEOUT_USEC=30000000") == 0;
	}
	tear_down(&s);
}

static void
the_watchdog_is_fed_twice_as_often_as_asked(void **state)
{
	struct sample s;
	int64_t began = clock_mono();
	int fed = 0;

	(void)state;
	setenv("WATCHDOG_USEC", "200000", 1);
	set_up(&s);
	while (fed < 4) {
		ev_run(s.loop, EVRUN_ONCE);
		fed += strcmp(heard(&s), "WATCHDOG=1") == 0;
	}
	/* The first at once, then every 100 ms. */
	assert_true(clock_mono() - began >= 290 * CLOCK_NS_PER_MS);
	tear_down(&s);
}

static void
without_a_manager_nothing_is_done(void **state)
{
	struct sample s = { .loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV) };

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	s.notify = notify_new(s.loop, write_status, &s);
	notify_ready(s.notify);
	notify_stopping(s.notify);
	notify_look(s.notify);
	ev_run(s.loop, 0); /* returns: nothing is waited for */
	notify_free(s.notify);
	ev_loop_destroy(s.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready_and_stopping_are_said_once),
		cmocka_unit_test(
		    while_it_ends_more_time_is_asked_for_again_and_again),
		cmocka_unit_test(the_watchdog_is_fed_twice_as_often_as_asked),
		cmocka_unit_test(without_a_manager_nothing_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
