/*
 * The catalogue's settings: schemas keep their lines, inline, in JSON and in
 * YAML; and nothing that can be read in two ways is taken.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/jobtypes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/server_settings.h"

static char folder[] = "/tmp/jobtypes-XXXXXX";

static const char *
lookup(const char *name)
{
	(void)name;
	return NULL;
}

static void
collect(void *ctx, const char *message)
{
	char *all = ctx;
	size_t at = strlen(all);

	snprintf(all + at, 4096 - at, "%s\n", message);
}

/* As if it stood in the file s.yaml of the folder. */
static struct server_settings *
parse(const char *text, char all[4096])
{
	char file[64];

	snprintf(file, sizeof file, "%s/s.yaml", folder);
	all[0] = '\0';
	return server_settings_read(
	    file, text, strlen(text), lookup, collect, all);
}

static void
write_file(const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
refused(const char *text, const char *expected)
{
	char all[4096], wanted[4096];
	struct server_settings *s = parse(text, all);

	assert_null(s);
	snprintf(wanted, sizeof wanted, "%s/%s", folder, expected);
	assert_string_equal(all, wanted);
}

static void
a_tree_becomes_json_with_its_lines(void **state)
{
	char all[4096];
	struct server_settings *s = parse("jobtypes:\n"
					  "  mail:\n"
					  "    args:\n"
					  "      type: array\n"
					  "      items: {minimum: 1.50, const: "
					  "'3', default: ~}\n"
					  "      pattern: ^a$\n"
					  "  any: {mode: warn}\n",
	    all);

	(void)state;
	assert_string_equal(all, "");
	assert_int_equal(s->jobtypes.count, 2);
	assert_int_equal(s->jobtypes.mode, JOBTYPE_STRICT);
	const struct jobtype_setting *mail = &s->jobtypes.each[0];
	assert_string_equal(mail->name, "mail");
	assert_int_equal(mail->mode, JOBTYPE_STRICT);
	assert_string_equal(mail->args.json,
	    "{\"type\":\"array\",\"items\":{\"minimum\":1.50,\"const\":\"3\","
	    "\"default\":null},\"pattern\":\"^a$\"}");
	const char *at = strstr(mail->args.json, "1.50");
	struct mark m =
	    schema_text_place(&mail->args, (size_t)(at - mail->args.json));
	assert_int_equal(m.line, 5);
	assert_int_equal(m.column, 24);
	assert_null(s->jobtypes.each[1].args.file);
	assert_int_equal(s->jobtypes.each[1].mode, JOBTYPE_WARN);
	server_settings_free(s);
}

static void
a_file_lies_beside_the_configuration(void **state)
{
	char all[4096], path[64];
	struct server_settings *s;

	(void)state;
	write_file("a.json", "{\n  \"type\": \"a\"\n}\n");
	write_file("b.yaml", "type: array\nminItems: 2\n");
	s = parse("jobtypes_mode: warn\n"
		  "jobtypes:\n"
		  "  a: {args_file: a.json}\n"
		  "  b: {args_file: b.yaml, mode: strict}\n",
	    all);
	assert_string_equal(all, "");
	const struct jobtype_setting *a = &s->jobtypes.each[0];
	snprintf(path, sizeof path, "%s/a.json", folder);
	assert_string_equal(a->args.file, path);
	assert_int_equal(a->mode, JOBTYPE_WARN);
	const char *at = strstr(a->args.json, "\"a\"");
	struct mark m =
	    schema_text_place(&a->args, (size_t)(at - a->args.json));
	assert_int_equal(m.line, 2);
	assert_int_equal(m.column, 11);
	assert_string_equal(s->jobtypes.each[1].args.json,
	    "{\"type\":\"array\",\"minItems\":2}");
	assert_int_equal(s->jobtypes.each[1].mode, JOBTYPE_STRICT);
	server_settings_free(s);

	write_file("b.yaml", "type: [\n");
	assert_null(parse("jobtypes: {b: {args_file: b.yaml}}\n", all));
	assert_non_null(strstr(all, "/b.yaml:2:1: "));
	write_file("b.yaml", "const: yes\n");
	assert_null(parse("jobtypes: {b: {args_file: b.yaml}}\n", all));
	assert_non_null(strstr(all, "/b.yaml:1:8: \"yes\" can be read"));
}

static void
mistakes_are_told(void **state)
{
	(void)state;
	refused("jobtypes: {}\n",
	    "s.yaml:1:11: jobtypes: 0 jobtypes, expected 1 to 10000\n");
	refused("jobtypes:\n  a:\n",
	    "s.yaml:2:5: jobtypes.a: nothing stands here, expected args, "
	    "args_file and mode, or {} for any args\n");
	refused("jobtypes: {a: {arg: {}}}\n",
	    "s.yaml:1:16: jobtypes.a: no setting is called \"arg\", expected "
	    "\"args\"?\n");
	refused("jobtypes: {a: {args: {}, args_file: x}}\n",
	    "s.yaml:1:15: jobtypes.a: there are args and args_file, expected "
	    "one of them\n");
	refused("jobtypes:\n  a: {}\n  a: {}\n",
	    "s.yaml:3:3: jobtypes.a is set twice, first in line 2\n");
	refused("jobtypes: {a: {mode: lax}}\n",
	    "s.yaml:1:22: jobtypes.a.mode: \"lax\" is not known, expected "
	    "strict or warn\n");
	refused("jobtypes_mode: strict\n",
	    "s.yaml:1:16: jobtypes_mode: every job is taken, expected "
	    "jobtypes too\n");
	refused("jobtypes: {a: {args: {const: 0x1F}}}\n",
	    "s.yaml:1:30: \"0x1F\" can be read in two ways, expected quotes "
	    "around it, or a number, true, false or null as JSON writes "
	    "them\n");
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "%s/a.json", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/b.yaml", folder);
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_becomes_json_with_its_lines),
		cmocka_unit_test(a_file_lies_beside_the_configuration),
		cmocka_unit_test(mistakes_are_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
