/*
 * settings_file - for tests that read a supervisor's file: an environment, a
 * scratch directory, and what must come out.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_SETTINGS_FILE_H
#define TESTS_UNIT_SETTINGS_FILE_H

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

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* The least that a file must have. */
#define JOBS "jobs: {a: {exec: [/bin/sh]}}\n"

static char scratch[] = "/tmp/test_settings.XXXXXX";

static const char *credentials; /* CREDENTIALS_DIRECTORY; NULL: not set */

static inline const char *
lookup(const char *name)
{
	if (strcmp(name, "SECRET") == 0)
		return "from env";
	if (strcmp(name, "PORT") == 0)
		return "7419";
	if (strcmp(name, "BRACES") == 0)
		return "{args.0}";
	if (strcmp(name, "FAKTORY_PROVIDER") == 0)
		return "MY_URL";
	if (strcmp(name, "CREDENTIALS_DIRECTORY") == 0)
		return credentials;
	return NULL;
}

static inline void
collect(void *ctx, const char *message)
{
	char *all = ctx;
	size_t at = strlen(all);

	snprintf(all + at, 8192 - at, "%s\n", message);
}

static inline struct settings *
parse(const char *text, char all[8192])
{
	all[0] = '\0';
	return settings_read(
	    "t.yaml", text, strlen(text), lookup, collect, all);
}

static inline struct settings *
good(const char *text)
{
	char all[8192];
	struct settings *s = parse(text, all);

	if (s == NULL)
		fail_msg("%s", all);
	assert_string_equal(all, "");
	return s;
}

static inline void
bad(const char *text, const char *want)
{
	char all[8192];
	struct settings *s = parse(text, all);

	assert_string_equal(all, want);
	assert_null(s);
}

/* A file below the scratch directory; the name is valid until the next call. */
static inline const char *
put_file(const char *name, const char *bytes, size_t len, mode_t mode)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", scratch, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static inline int
make_scratch(void **state)
{
	(void)state;
	return mkdtemp(scratch) != NULL ? 0 : -1;
}

static inline int
remove_scratch(void **state)
{
	static const char *const names[] = { "prog", "pw", "t.yaml",
		"faktory-password" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
		unlink(path);
	}
	return rmdir(scratch);
}

#endif
