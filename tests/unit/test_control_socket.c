/*
 * The name of a dead supervisor is replaced, that of a live one is not, and
 * nobody can connect before mode and group are right.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/control_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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

static char dir[32], path[64];

static int
begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test_control.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/s", dir);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	unlink(path);
	/* Nothing but the name itself was ever left behind. */
	return rmdir(dir);
}

static bool
connects(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	int r =
	    connect(fd, (const struct sockaddr *)(const void *)&sa, sizeof sa);
	close(fd);
	return r == 0;
}

static void
opens(struct control_socket *s)
{
	struct err e;

	if (control_socket_open(s, path, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(connects());
}

static unsigned
mode(void)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
only_the_owner_may_connect(void **state)
{
	mode_t before = umask(0);
	struct control_socket s;

	(void)state;
	opens(&s);
	assert_int_equal(mode(), 0600);
	assert_false(s.rule.has_group);
	control_socket_close(&s);
	assert_int_equal(access(path, F_OK), -1);
	umask(before);
}

static void
a_group_gets_the_name_too(void **state)
{
	struct group *g = getgrgid(getegid());
	struct control_socket s;
	struct stat st;
	struct err e;

	(void)state;
	assert_non_null(g);
	assert_int_equal(control_socket_open(&s, path, g->gr_name, &e), 0);
	assert_int_equal(mode(), 0660);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_gid, getegid());
	assert_true(s.rule.has_group);
	assert_int_equal(s.rule.group, getegid());
	control_socket_close(&s);

	assert_true(control_socket_open(&s, path, "no such group", &e) < 0);
	assert_non_null(strstr(e.text, "control.group: no such group"));
	assert_int_equal(s.fd, -1);
	assert_int_equal(access(path, F_OK), -1);
}

static void
a_dead_name_is_replaced(void **state)
{
	struct control_socket dead, s;

	(void)state;
	opens(&dead);
	close(dead.fd);
	assert_false(connects());
	opens(&s);
	/* The dead one's end does not take the new name away. */
	dead.fd = open("/dev/null", O_RDONLY);
	control_socket_close(&dead);
	assert_true(connects());
	control_socket_close(&s);
}

static void
a_live_one_is_left_alone(void **state)
{
	struct control_socket live, s;
	struct err e;

	(void)state;
	opens(&live);
	assert_int_equal(control_socket_open(&s, path, NULL, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "another supervisor answers there"));
	assert_non_null(strstr(e.text, path));
	assert_int_equal(s.fd, -1);
	control_socket_close(&s);
	assert_true(connects());
	control_socket_close(&live);
}

static void
what_is_no_socket_is_left_alone(void **state)
{
	struct control_socket s;
	struct err e;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(control_socket_open(&s, path, NULL, &e), -EEXIST);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 1);

	unlink(path);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(control_socket_open(&s, path, NULL, &e), -EEXIST);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(control_socket_open(&s, path, NULL, &e), -EEXIST);
	rmdir(path);
}

static void
a_missing_directory_is_told(void **state)
{
	struct control_socket s;
	struct err e;

	(void)state;
	assert_int_equal(
	    control_socket_open(&s, "/nonexistent/s", NULL, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent/s"));
}

/* What is listening goes on under the number that was saved. */
static void
a_successor_goes_on(void **state)
{
	struct control_socket s, next;
	struct state_writer w;
	struct state_reader r;
	struct buf *sealed = buf_new(65536);

	(void)state;
	opens(&s);
	assert_int_equal(state_writer_init(&w, 65536), 0);
	control_socket_save(&s, &w);
	assert_int_equal(state_seal(&w, 1, sealed), 0);
	assert_int_equal(
	    state_open(&r, buf_front(sealed), buf_len(sealed), 1), 0);
	control_socket_load(&next, &r);
	assert_false(r.failed);
	assert_true(control_socket_fits(&next, path, NULL));
	assert_false(control_socket_fits(&next, "/elsewhere", NULL));
	assert_false(control_socket_fits(&next, path, "root"));
	assert_false(control_socket_fits(&next, NULL, NULL));
	assert_true(connects());
	control_socket_close(&next);
	assert_int_equal(access(path, F_OK), -1);
	state_writer_clear(&w);
	buf_free(sealed);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(only_the_owner_may_connect),
		TEST(a_group_gets_the_name_too),
		TEST(a_dead_name_is_replaced),
		TEST(a_live_one_is_left_alone),
		TEST(what_is_no_socket_is_left_alone),
		TEST(a_missing_directory_is_told),
		TEST(a_successor_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
