/*
 * Several files are read in the order of their names and joined to one tree;
 * what is no configuration is passed over but named.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/sources.h"

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

#include "config/settings.h"
#include "tests/unit/settings_file.h"

static char dir[32];

static int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test-sources-XXXXXX");
	return mkdtemp(dir) == NULL || chdir(dir) < 0 ? -1 : 0;
}

static int
remove_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return chdir("/") < 0 || system(command) != 0 ? -1 : 0;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static void
files_are_read_in_the_order_of_their_names(void **state)
{
	struct sources s;
	struct err e;

	(void)state;
	put("main.yaml", "concurrency: 3\n");
	assert_int_equal(mkdir("main.d", 0755), 0);
	put("main.d/b.yaml", "");
	put("main.d/a.yml", "");
	put("main.d/10.yaml", "");
	put("main.d/.hidden.yaml", "");
	put("main.d/a.yaml~", "");
	put("main.d/a.yaml.dpkg-new", "");
	assert_int_equal(sources_load(&s, "main.yaml", &e), 0);
	assert_int_equal(s.nfiles, 4);
	assert_string_equal(s.files[0].name, "main.yaml");
	assert_string_equal(s.files[1].name, "main.d/10.yaml");
	assert_string_equal(s.files[2].name, "main.d/a.yml");
	assert_string_equal(s.files[3].name, "main.d/b.yaml");
	assert_int_equal(s.nskipped, 3);
	assert_string_equal(s.skipped[0], "main.d/.hidden.yaml");
	assert_string_equal(s.skipped[1], "main.d/a.yaml.dpkg-new");
	assert_string_equal(s.skipped[2], "main.d/a.yaml~");
	sources_clear(&s);

	assert_int_equal(sources_load(&s, "main.d", &e), 0);
	assert_int_equal(s.nfiles, 3);
	sources_clear(&s);
}

static void
what_cannot_be_read_is_told(void **state)
{
	struct sources s;
	struct err e;

	(void)state;
	assert_int_equal(sources_load(&s, "none.yaml", &e), -ENOENT);
	assert_string_equal(e.text, "none.yaml: No such file or directory");
	assert_int_equal(mkdir("empty", 0755), 0);
	assert_int_equal(sources_load(&s, "empty", &e), -ENOENT);
	assert_string_equal(
	    e.text, "empty: no file in it, expected at least one *.yaml");
	put("t.yaml", "");
	assert_int_equal(mkdir("t.d", 0755), 0);
	assert_int_equal(mkdir("t.d/sub.yaml", 0755), 0);
	assert_int_equal(sources_load(&s, "t.yaml", &e), -EISDIR);
	assert_string_equal(e.text, "t.d/sub.yaml: Is a directory");
	assert_int_equal(s.nfiles, 0);
}

static struct settings *
read_all(const char *path, char all[8192])
{
	all[0] = '\0';
	return settings_load(path, lookup, collect, all);
}

static void
jobs_of_all_files_add_up(void **state)
{
	char all[8192], place[SETTINGS_PLACE_MAX];

	(void)state;
	put("j.yaml", "concurrency: 3\njobs: {a: {exec: [/bin/true]}}\n");
	assert_int_equal(mkdir("j.d", 0755), 0);
	put("j.d/1.yaml", "queues: [x]\njobs:\n  b: {exec: [/bin/true]}\n");
	put("j.d/2.yaml", "jobs: {c: {exec: [/bin/true]}}\nbeat: 2s\n");
	struct settings *s = read_all("j.yaml", all);
	assert_string_equal(all, "");
	assert_non_null(s);
	assert_int_equal(s->nhandlers, 3);
	assert_int_equal(s->concurrency, 3);
	assert_string_equal(s->queues[0].name, "x");
	const struct handler *b = settings_handler(s, "b", 1);
	assert_string_equal(settings_place(s, b->at, place), "j.d/1.yaml:3:3");
	assert_non_null(settings_handler(s, "c", 1));
	settings_free(s);
}

static void
what_stands_twice_is_told_with_both_places(void **state)
{
	char all[8192];

	(void)state;
	put("d.yaml", "beat: 1s\njobs: {a: {exec: [/bin/true]}}\n");
	assert_int_equal(mkdir("d.d", 0755), 0);
	put("d.d/1.yaml", "beat: 2s\njobs:\n  a: {exec: [/bin/true]}\n");
	put("d.d/2.yaml", "- x\n");
	put("d.d/3.yaml", "a: [\n");
	assert_null(read_all("d.yaml", all));
	assert_non_null(strstr(all,
	    "d.d/2.yaml:1:1: the file: a list stands here, expected a "
	    "mapping\n"));
	assert_non_null(strstr(all, "d.d/3.yaml:2:1: "));
	assert_int_equal(unlink("d.d/2.yaml"), 0);
	assert_int_equal(unlink("d.d/3.yaml"), 0);
	assert_null(read_all("d.yaml", all));
	assert_string_equal(all,
	    "d.d/1.yaml:1:1: beat is set twice, first in d.yaml:1:1\n"
	    "d.d/1.yaml:3:3: jobs.a is set twice, first in d.yaml:2:8\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_in_the_order_of_their_names),
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(jobs_of_all_files_add_up),
		cmocka_unit_test(what_stands_twice_is_told_with_both_places),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
