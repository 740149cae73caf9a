/*
 * The place of a stock server's Redis is found by its directory, socket or
 * address, what is none of these is refused, and its clients are counted.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "tests/unit/storedir.h"

static void
addresses_are_read(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} good[] = {
		{ "redis.example:6379", "redis.example", 6379 },
		{ "127.0.0.1:1", "127.0.0.1", 1 },
		{ "[::1]:65535", "::1", 65535 },
	};
	static const char *const bad[] = { "", "host", ":6379",
		"host:", "host:0", "host:65536", "host:6379x", "host:-1",
		"host: 1" };
	struct source_place at;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(source_find(good[i].text, &at, &e), 0);
		assert_string_equal(at.host, good[i].host);
		assert_int_equal(at.port, good[i].port);
		assert_string_equal(at.path, "");
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (source_find(bad[i], &at, &e) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_non_null(strstr(e.text, "HOST:PORT") != NULL
			? e.text
			: strstr(e.text, "65535"));
	}
}

/* One place has one name, however it was written: the mark compares it. */
static void
sockets_are_found_below_their_directory(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct source_place by_directory, by_name;
	struct storedir d;
	char path[600];
	struct err e;

	(void)state;
	storedir_make(&d);
	assert_int_equal(source_find(d.path, &by_name, &e), -ENOENT);
	assert_non_null(strstr(e.text, "redis.sock"));

	snprintf(sa.sun_path, sizeof sa.sun_path, "%.80s/redis.sock", d.path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(source_find(d.path, &by_directory, &e), 0);
	snprintf(path, sizeof path, "%s/./redis.sock", d.path);
	assert_int_equal(source_find(path, &by_name, &e), 0);
	assert_string_equal(by_name.path, by_directory.path);
	close(fd);

	storedir_write(&d, "/file", "", 0);
	snprintf(path, sizeof path, "%s/file", d.path);
	assert_int_equal(source_find(path, &by_name, &e), -EINVAL);
	storedir_remove(&d);
}

static void
clients_are_counted_by_lines(void **state)
{
	static const char two[] =
	    "id=5 addr=/run/redis.sock:0 fd=8 name= cmd=client\n"
	    "id=7 addr=/run/redis.sock:0 fd=9 name=id=3 cmd=brpop\n";

	(void)state;
	assert_int_equal(source_count_clients(two, sizeof two - 1), 2);
	assert_int_equal(source_count_clients(two, sizeof two - 2), 2);
	assert_int_equal(source_count_clients(two, 3), 1);
	assert_int_equal(source_count_clients(two, 2), 0);
	assert_int_equal(source_count_clients("\n\n", 2), 0);
	assert_int_equal(source_count_clients("", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(sockets_are_found_below_their_directory),
		cmocka_unit_test(clients_are_counted_by_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
