/*
 * Root, the own user and the members of the group may give orders, and
 * nobody else; the kernel says who it is.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void
who_may(void **state)
{
	gid_t others[] = { 7, 50, 9 };
	static const struct access_rule alone = { .own = 100 };
	static const struct access_rule group = { 100, true, 50 };
	static const struct access_rule zero = { 100, true, 0 };
	const struct {
		struct access_peer peer;
		bool alone, group;
	} cases[] = {
		{ { .uid = 0, .gid = 1 }, true, true },
		{ { .uid = 100, .gid = 1 }, true, true },
		{ { .uid = 101, .gid = 1 }, false, false },
		{ { .uid = 101, .gid = 50 }, false, true },
		{ { .uid = 101, .gid = 1, .groups = others, .ngroups = 3 },
		    false, true },
		{ { .uid = 101, .gid = 1, .groups = others, .ngroups = 1 },
		    false, false },
		/* A number of a user is none of a group. */
		{ { .uid = 50, .gid = 100 }, false, false },
		/* What access_peer_read() leaves when it fails. */
		{ { .uid = (uid_t)-1, .gid = (gid_t)-1 }, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(
		    access_allows(&alone, &cases[i].peer), cases[i].alone);
		assert_int_equal(
		    access_allows(&group, &cases[i].peer), cases[i].group);
	}
	/* Without a group the number 0 of an unset one is nobody's key. */
	const struct access_peer first = { .uid = 101, .gid = 0 };
	assert_false(access_allows(&alone, &first));
	assert_true(access_allows(&zero, &first));
}

static void
the_kernel_names_the_peer(void **state)
{
	struct access_peer peer;
	int fds[2], n = getgroups(0, NULL);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(access_peer_read(fds[0], &peer), 0);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.gid, getegid());
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.ngroups, n);
	access_peer_clear(&peer);
	close(fds[0]);
	close(fds[1]);
}

static void
what_is_no_socket_is_nobody(void **state)
{
	static const struct access_rule rule = { .own = 100 };
	struct access_peer peer;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_true(access_peer_read(fds[0], &peer) < 0);
	assert_false(access_allows(&rule, &peer));
	access_peer_clear(&peer);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may),
		cmocka_unit_test(the_kernel_names_the_peer),
		cmocka_unit_test(what_is_no_socket_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
