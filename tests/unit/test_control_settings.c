/*
 * Where orders are taken is a path, "off", or what systemd gives; a mistake
 * has its place, and other mistakes of a file do not keep a verb from it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/control_settings.h"

#include "tests/unit/settings_file.h"

static void
socket_and_group_are_read(void **state)
{
	struct settings *s =
	    good("control: {socket: /run/a/b.sock, group: root}\n" JOBS);

	(void)state;
	assert_string_equal(s->control_socket, "/run/a/b.sock");
	assert_string_equal(s->control_group, "root");
	assert_int_equal(s->control_socket_at.column, 19);
	settings_free(s);
	s = good(JOBS);
	assert_null(s->control_socket);
	assert_null(s->control_group);
	settings_free(s);
	s = good("control: {socket: off}\n" JOBS);
	assert_string_equal(s->control_socket, CONTROL_OFF);
	settings_free(s);
}

static void
mistakes_have_their_place(void **state)
{
	char text[256], want[256];

	(void)state;
	bad("control: {socket: run/x}\n" JOBS,
	    "t.yaml:1:19: control.socket: \"run/x\" is neither, expected an "
	    "absolute path, or off\n");
	bad("control: {socket: /run/x/}\n" JOBS,
	    "t.yaml:1:19: control.socket: \"/run/x/\" is neither, expected an "
	    "absolute path, or off\n");
	bad("control: {group: no-such-group}\n" JOBS,
	    "t.yaml:1:18: control.group: there is no group \"no-such-group\", "
	    "expected the name of a group\n");
	snprintf(text, sizeof text, "control: {socket: /%0*d}\n" JOBS,
	    CONTROL_SOCKET_MAX, 0);
	snprintf(want, sizeof want,
	    "t.yaml:1:19: control.socket: %d bytes, expected at most %d, "
	    "since the name of a socket is short\n",
	    CONTROL_SOCKET_MAX + 1, CONTROL_SOCKET_MAX);
	bad(text, want);
}

static const char *dirs;

static const char *
runtime(const char *name)
{
	return strcmp(name, "RUNTIME_DIRECTORY") == 0 ? dirs : NULL;
}

static void
systemd_gives_the_place(void **state)
{
	char out[CONTROL_SOCKET_MAX + 1], longest[128];

	(void)state;
	dirs = "/run/faktotum";
	assert_true(control_settings_runtime(runtime, out));
	assert_string_equal(out, "/run/faktotum/faktotum.sock");
	dirs = "/run/a:/run/b";
	assert_true(control_settings_runtime(runtime, out));
	assert_string_equal(out, "/run/a/faktotum.sock");
	dirs = NULL;
	assert_false(control_settings_runtime(runtime, out));
	dirs = "relative";
	assert_false(control_settings_runtime(runtime, out));
	snprintf(longest, sizeof longest, "/%0*d", CONTROL_SOCKET_MAX, 0);
	dirs = longest;
	assert_false(control_settings_runtime(runtime, out));
}

static bool
find(const char *text, char **path, char all[8192])
{
	static char name[] = "t.yaml";
	/* Only read. */
	struct source one = { name, (char *)(uintptr_t)text, strlen(text) };
	const struct sources src = { .name = name, .files = &one, .nfiles = 1 };

	all[0] = '\0';
	return control_settings_find(&src, lookup, collect, all, path);
}

static void
the_place_is_found_beside_mistakes(void **state)
{
	char all[8192], *path;

	(void)state;
	assert_true(find("concurrency: many\nnonsense: 1\npassword: {file: "
			 "/nonexistent}\ncontrol: {socket: /a/b}\n",
	    &path, all));
	assert_string_equal(path, "/a/b");
	free(path);
	assert_true(find("jobs: {}\n", &path, all));
	assert_null(path);
	assert_string_equal(all, "");
	assert_false(find("control: {socket: x, sockte: y}\n", &path, all));
	assert_null(path);
	assert_non_null(strstr(all, "t.yaml:1:19: control.socket"));
	assert_non_null(strstr(all, "sockte"));
	assert_false(find("control: {", &path, all));
	assert_null(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(socket_and_group_are_read),
		cmocka_unit_test(mistakes_have_their_place),
		cmocka_unit_test(systemd_gives_the_place),
		cmocka_unit_test(the_place_is_found_beside_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
