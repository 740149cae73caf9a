/*
 * The journal gets every entry whole, whatever its size; one that does not
 * read or is away costs lines, which are counted and told, and never time.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journald.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

enum { PATIENCE = 60 * 1000 }; /* ms; for hangs */

static char dir[] = "/tmp/journald.XXXXXX";
static char path[64];

/* A journal that listens. */
static int
listen_there(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* The next entry, as a text; of a memfd when *memfd. */
static char *
next_entry(int fd, size_t *len, bool *memfd)
{
	static char room[1 << 20];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { room, sizeof room - 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, PATIENCE), 1);
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	assert_true(n >= 0);
	*memfd = CMSG_FIRSTHDR(&m) != NULL;
	if (*memfd) {
		int carried;

		assert_int_equal(n, 0);
		memcpy(&carried, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof carried);
		assert_int_equal(fcntl(carried, F_GET_SEALS),
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
		n = pread(carried, room, sizeof room - 1, 0);
		assert_true(n > 0);
		close(carried);
	}
	room[n] = '\0';
	*len = (size_t)n;
	return room;
}

static const char *
next_message(int fd)
{
	size_t len;
	bool memfd;
	char *text = next_entry(fd, &len, &memfd);

	assert_memory_equal(text, "MESSAGE=", 8);
	*strchr(text, '\n') = '\0';
	return text + 8;
}

static int
begin(void **state)
{
	static int made;

	(void)state;
	if (!made++)
		assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/socket", dir);
	setenv(JOURNALD_VARIABLE, path, 1);
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	unlink(path);
	return 0;
}

static struct journald *
open_journald(void)
{
	struct err e;
	struct journald *j = journald_open(&e);

	assert_non_null(j);
	return j;
}

static void
entries_of_every_size_arrive_whole(void **state)
{
	static const size_t sizes[] = { 0, 1, 60000, 150000, 230000, 900000 };
	int fd = listen_there();
	struct journald *j = open_journald();
	char *bytes = malloc(1 << 20);
	bool memfd = false;
	size_t len;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', 1 << 20);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		log_bytes(LOG_LEVEL_INFO, NULL, 0, bytes, sizes[i]);
		char *text = next_entry(fd, &len, &memfd);

		assert_int_equal(strspn(text + 8, "x"), sizes[i]);
		assert_non_null(
		    strstr(text, "\nPRIORITY=6\nSYSLOG_IDENTIFIER=faktotum\n"));
	}
	/* Larger than any datagram by default: the other way was needed. */
	assert_true(memfd);
	journald_close(j);
	close(fd);
	free(bytes);
}

/* Nobody reads: every call comes back, and the bag has an end. */
static void
a_journal_that_does_not_read_costs_lines_that_are_told(void **state)
{
	enum { LINES = 20000 };
	char line[1000];
	int fd = listen_there();
	struct journald *j = open_journald();
	size_t got = 0, lost = 0, n;

	(void)state;
	memset(line, 'y', sizeof line);
	for (int i = 0; i < LINES; i++)
		log_bytes(LOG_LEVEL_INFO, NULL, 0, line, sizeof line);
	assert_true(log_losses() > 0);
	/* Every line is accounted for. */
	while (got + lost < LINES) {
		const char *message = next_message(fd);

		got += *message == 'y';
		if (sscanf(message,
			"log  %zu lines dropped: the journal did not take them",
			&n) == 1)
			lost += n;
	}
	assert_int_equal(got + lost, LINES);
	assert_true(lost > 0);
	assert_int_equal(log_losses(), 0);
	log_say(LOG_LEVEL_INFO, "a", "back");
	assert_string_equal(next_message(fd), "a  back");
	journald_close(j);
	close(fd);
}

static void
a_journal_that_vanishes_and_returns_gets_what_waited(void **state)
{
	int fd = listen_there();
	struct journald *j = open_journald();

	(void)state;
	log_say(LOG_LEVEL_INFO, "a", "one");
	assert_string_equal(next_message(fd), "a  one");
	close(fd);
	unlink(path);
	log_say(LOG_LEVEL_INFO, "a", "two");
	log_say(LOG_LEVEL_INFO, "a", "three");
	/* It has tried in vain by now: both are still there. */
	assert_int_equal(journald_hold(j), 2);
	journald_go_on(j);
	fd = listen_there();
	assert_string_equal(next_message(fd), "a  two");
	assert_string_equal(next_message(fd), "a  three");
	journald_close(j);
	close(fd);
}

/* What programs print leaves room for the ends of their jobs. */
static void
a_flood_leaves_room_for_our_own_lines(void **state)
{
	const struct log_tag stream = { "stream", "stdout" };
	char line[1000];
	struct journald *j = open_journald();

	(void)state;
	memset(line, 'z', sizeof line);
	for (int i = 0; i < 10000; i++)
		log_bytes(LOG_LEVEL_INFO, &stream, 1, line, sizeof line);
	unsigned long lost = log_losses();
	assert_true(lost > 0);
	log_say(LOG_LEVEL_INFO, "a", "the end of a job");
	assert_int_equal(log_losses(), lost);
	journald_close(j);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
}

static void
a_path_that_is_no_socket_is_refused(void **state)
{
	char far[200];
	struct err e;

	(void)state;
	memset(far, 'x', sizeof far - 1);
	far[sizeof far - 1] = '\0';
	setenv(JOURNALD_VARIABLE, far, 1);
	assert_null(journald_open(&e));
	assert_int_equal(e.code, ENAMETOOLONG);
}

static int
clear(void **state)
{
	(void)state;
	rmdir(dir);
	return 0;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(entries_of_every_size_arrive_whole),
		TEST(a_journal_that_does_not_read_costs_lines_that_are_told),
		TEST(a_journal_that_vanishes_and_returns_gets_what_waited),
		TEST(a_flood_leaves_room_for_our_own_lines),
		TEST(a_path_that_is_no_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
