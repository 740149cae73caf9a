/*
 * What only a restart can change keeps its value, and the operator hears
 * where it was asked for.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/heard_log.h"
#include "tests/unit/settings_file.h"

#define ONE "jobs: {a: {exec: [/bin/true]}}\n"

static void
server_and_tmpdir_keep_their_values(void **state)
{
	struct settings *old = good("server: tcp://a\ntmpdir: /tmp\n" ONE);
	struct settings *next =
	    good("beat: 2s\nserver: tcp://b\ntmpdir: /var/tmp\n" ONE);
	struct heard heard;

	(void)state;
	heard_begin(&heard);
	reload_keep_fixed(old, next);
	heard_end(&heard);
	assert_string_equal(next->servers[0], "tcp://a");
	assert_string_equal(next->tmpdir, "/tmp");
	assert_non_null(strstr(heard.text,
	    "t.yaml:2:9: server changes at the next start only; until then "
	    "the old value stays"));
	assert_non_null(strstr(heard.text, "t.yaml:3:9: tmpdir changes"));

	heard_begin(&heard);
	reload_keep_fixed(old, next);
	heard_end(&heard);
	assert_string_equal(heard.text, "");
	settings_free(old);
	settings_free(next);
}

static void
the_control_socket_keeps_its_place(void **state)
{
	struct settings *old = good("control: {socket: /run/a}\n" ONE);
	struct settings *next =
	    good("control: {socket: /run/b, group: root}\n" ONE);
	struct heard heard;

	(void)state;
	heard_begin(&heard);
	reload_keep_fixed(old, next);
	heard_end(&heard);
	assert_string_equal(next->control_socket, "/run/a");
	assert_null(next->control_group);
	assert_non_null(
	    strstr(heard.text, "t.yaml:1:19: control.socket changes"));
	assert_non_null(
	    strstr(heard.text, "t.yaml:1:34: control.group changes"));
	settings_free(old);
	settings_free(next);
}

static void
labels_are_compared_by_text_and_order(void **state)
{
	struct settings *none = good(ONE), *ab = good("labels: [a, b]\n" ONE);
	struct settings *ba = good("labels: [b, a]\n" ONE);

	(void)state;
	assert_false(reload_changes_labels(ab, ab));
	assert_true(reload_changes_labels(none, ab));
	assert_true(reload_changes_labels(ab, ba));
	settings_free(none);
	settings_free(ab);
	settings_free(ba);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_and_tmpdir_keep_their_values),
		cmocka_unit_test(the_control_socket_keeps_its_place),
		cmocka_unit_test(labels_are_compared_by_text_and_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
