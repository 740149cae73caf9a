/*
 * A program is taken only when nobody but root and its user could put another
 * one in its place, whatever way leads to it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch[] = "/tmp/test_trust.XXXXXX";

enum { STRANGER = 54321 };

/* A name below the scratch directory; valid for four more calls. */
static const char *
at(const char *name)
{
	static char paths[4][PATH_MAX];
	static size_t turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", scratch, name);
	return path;
}

static void
put(const char *name, mode_t mode)
{
	int fd = open(at(name), O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(at(name), mode), 0);
}

static void
put_dir(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
	assert_int_equal(chmod(at(name), mode), 0);
}

static int
check(const char *name, struct err *e)
{
	return trust_check(at(name), geteuid(), e);
}

static void
refused(const char *name, const char *component)
{
	struct err e;

	assert_int_equal(check(name, &e), -EPERM);
	if (strncmp(e.text, at(component), strlen(at(component))) != 0 ||
	    e.text[strlen(at(component))] != ' ')
		fail_msg("%s", e.text);
}

static int
make_scratch(void **state)
{
	(void)state;
	if (mkdtemp(scratch) == NULL)
		return -1;
	put_dir("good", 0755);
	put("good/prog", 0755);
	put("good/loose", 0775);
	put_dir("open", 0777);
	put("open/prog", 0755);
	put_dir("group", 0775);
	put_dir("group/inner", 0755);
	put("group/inner/prog", 0755);
	put_dir("sticky", 01777);
	put("sticky/prog", 0755);
	return 0;
}

static int
remove_scratch(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof command, "rm -rf -- '%s'", scratch);
	return system(command);
}

static void
the_way_must_be_ours_alone(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(check("good/prog", &e), 0);
	assert_int_equal(check("good/../good/./prog", &e), 0);
	assert_int_equal(check("sticky/prog", &e), 0);
	assert_int_equal(trust_check("/bin/sh", geteuid(), &e), 0);
	refused("good/loose", "good/loose");
	refused("open/prog", "open");
	refused("group/inner/prog", "group");
	assert_int_equal(check("good/none", &e), -ENOENT);
}

static void
links_are_followed_one_by_one(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(symlink("prog", at("good/near")), 0);
	assert_int_equal(symlink("../open/prog", at("good/far")), 0);
	assert_int_equal(symlink(at("open"), at("good/dir")), 0);
	assert_int_equal(symlink("../good/near", at("sticky/chain")), 0);
	assert_int_equal(symlink("self", at("good/self")), 0);
	assert_int_equal(check("good/near", &e), 0);
	assert_int_equal(check("sticky/chain", &e), 0);
	refused("good/far", "open");
	refused("good/dir/prog", "open");
	/* ".." leads from where the link has led, as for the kernel. */
	refused("good/dir/../good/prog", "open");
	assert_int_equal(check("good/self", &e), -ELOOP);
}

static void
owners_are_root_we_and_who_it_runs_as(void **state)
{
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	put("sticky/theirs", 0755);
	assert_int_equal(chown(at("sticky/theirs"), STRANGER, STRANGER), 0);
	refused("sticky/theirs", "sticky/theirs");
	assert_int_equal(trust_check(at("sticky/theirs"), STRANGER, &e), 0);
	/* What they could point elsewhere. */
	assert_int_equal(symlink("prog", at("sticky/link")), 0);
	assert_int_equal(lchown(at("sticky/link"), STRANGER, STRANGER), 0);
	refused("sticky/link", "sticky/link");
	put_dir("good/home", 0755);
	put("good/home/prog", 0755);
	assert_int_equal(chown(at("good/home"), STRANGER, STRANGER), 0);
	refused("good/home/prog", "good/home");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_way_must_be_ours_alone),
		cmocka_unit_test(links_are_followed_one_by_one),
		cmocka_unit_test(owners_are_root_we_and_who_it_runs_as),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
