/*
 * An address or a reason always comes, never before the asker is ready for
 * it, and never to an asker who has gone.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/resolve.h"

#include <dirent.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>
#include <unistd.h>

#include <cmocka.h>

struct answer {
	bool there;
	struct addrinfo *list;
	char why[200];
};

static void
on_done(void *ctx, struct addrinfo *list, const char *why)
{
	struct answer *a = ctx;

	a->there = true;
	a->list = list;
	strncpy(a->why, why, sizeof a->why - 1);
}

static struct answer
ask(const char *host)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct answer a = { 0 };

	assert_non_null(resolve_start(loop, host, 7419, on_done, &a));
	assert_false(a.there);
	ev_run(loop, 0); /* until the answer has been given */
	assert_true(a.there);
	ev_loop_destroy(loop);
	return a;
}

static void
numeric_addresses_and_names_give_addresses(void **state)
{
	static const struct {
		const char *host;
		int family; /* 0: either */
	} cases[] = { { "127.0.0.1", AF_INET }, { "::1", AF_INET6 },
		{ "localhost", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer a = ask(cases[i].host);

		assert_non_null(a.list);
		if (cases[i].family != 0)
			assert_int_equal(a.list->ai_family, cases[i].family);
		struct sockaddr_in in;
		memcpy(&in, a.list->ai_addr, sizeof in);
		assert_int_equal(ntohs(in.sin_port), 7419);
		freeaddrinfo(a.list);
	}
}

static void
a_name_that_cannot_be_gives_a_reason(void **state)
{
	struct answer a = ask("no such host");

	(void)state;
	assert_null(a.list);
	assert_true(strlen(a.why) > 0);
}

/* Lookups that nobody waits for go on, with a socket each. */
static void
wait_for_threads(void)
{
	for (int i = 0; i < 10000; i++, usleep(1000)) {
		DIR *tasks = opendir("/proc/self/task");
		int n = -2; /* . and .. */

		assert_non_null(tasks);
		while (readdir(tasks) != NULL)
			n++;
		closedir(tasks);
		if (n == 1)
			return;
	}
	fail_msg("a lookup does not end");
}

static void
an_asker_who_has_gone_hears_nothing(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
		struct answer a = { 0 };

		resolve_cancel(resolve_start(loop, hosts[i], 1, on_done, &a));
		ev_run(loop, 0);
		assert_false(a.there);
		ev_loop_destroy(loop);
	}
	resolve_cancel(NULL);
	wait_for_threads();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_addresses_and_names_give_addresses),
		cmocka_unit_test(a_name_that_cannot_be_gives_a_reason),
		cmocka_unit_test(an_asker_who_has_gone_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
