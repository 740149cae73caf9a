/*
 * An address or a reason always comes, never before the asker is ready for
 * it, and never to an asker who has gone.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/resolve.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
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
gives(const char *host, int family)
{
	struct answer a = ask(host);
	struct sockaddr_in in; /* its port is where IPv6's is */

	assert_non_null(a.list);
	if (family != AF_UNSPEC)
		assert_int_equal(a.list->ai_family, family);
	memcpy(&in, a.list->ai_addr, sizeof in);
	assert_int_equal(ntohs(in.sin_port), 7419);
	freeaddrinfo(a.list);
}

static void
numeric_addresses_give_addresses(void **state)
{
	(void)state;
	gives("127.0.0.1", AF_INET);
	gives("::1", AF_INET6);
}

/* A name gives what this machine's resolver makes of it. */
static void
a_name_gives_addresses(void **state)
{
	struct addrinfo *known;

	(void)state;
	if (getaddrinfo("localhost", NULL, NULL, &known) != 0) {
		print_message("localhost has no address here\n");
		skip();
	}
	freeaddrinfo(known);
	gives("localhost", AF_UNSPEC);
}

static void
a_name_that_cannot_be_gives_a_reason(void **state)
{
	struct answer a = ask("no such host");

	(void)state;
	assert_null(a.list);
	assert_true(strlen(a.why) > 0);
}

/*
 * resolv.conf(5): 5 s a try, 2 tries, 3 servers, two families; and a machine
 * that has other things to do.
 */
enum { LOOKUP_SECONDS = 120, THREADS_MAX = 16 };

static pid_t before[THREADS_MAX]; /* ThreadSanitizer has a thread of its own */
static size_t nbefore;

static bool
was_there(pid_t thread)
{
	for (size_t i = 0; i < nbefore; i++)
		if (before[i] == thread)
			return true;
	return false;
}

/* How many threads there are beside those of `before`; added to it on wish. */
static size_t
threads(bool remember)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t others = 0;

	assert_non_null(tasks);
	for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
		pid_t thread = atoi(d->d_name);

		if (thread == 0 || was_there(thread))
			continue; /* . and .. are 0 */
		others++;
		if (remember && nbefore < THREADS_MAX)
			before[nbefore++] = thread;
	}
	closedir(tasks);
	return others;
}

static void *
do_nothing(void *arg)
{
	return arg;
}

/* What a sanitizer starts, it has started with the first thread of ours. */
static int
remember_threads(void **state)
{
	pthread_t first;

	(void)state;
	if (pthread_create(&first, NULL, do_nothing, NULL) != 0 ||
	    pthread_join(first, NULL) != 0)
		return -1;
	/* Joined is a little earlier than gone from the list. */
	(void)threads(true);
	return 0;
}

/* Lookups that nobody waits for go on, with a socket each. */
static void
wait_for_lookups(void)
{
	for (int i = 0; i < LOOKUP_SECONDS * 1000; i++, usleep(1000))
		if (threads(false) == 0)
			return;
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
	wait_for_lookups();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_addresses_give_addresses),
		cmocka_unit_test(a_name_gives_addresses),
		cmocka_unit_test(a_name_that_cannot_be_gives_a_reason),
		cmocka_unit_test(an_asker_who_has_gone_hears_nothing),
	};

	return cmocka_run_group_tests(tests, remember_threads, NULL);
}
