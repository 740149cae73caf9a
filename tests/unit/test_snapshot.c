/*
 * A table fits where it is shown, counts what does not, and never shows a
 * terminal anything that it would obey.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char supervisor[] =
    "{\"pid\":7,\"version\":\"1.2.3\",\"wid\":\"abc\",\"server\":\"tcp://h:1\","
    "\"connected\":true,\"beating\":true,\"config\":\"/etc/f.yaml\","
    "\"generation\":2,\"uptime_s\":93784.5,\"phase\":\"running\","
    "\"quiet_by\":null,\"drain\":false,\"unready\":null,\"slots\":4,"
    "\"busy\":2,\"held\":1,\"fetches\":9,\"done\":5,\"failed\":6,\"released\":"
    "2,\"late\":1,"
    "\"dropped\":0,\"lost\":0,\"unconfirmed\":3}";

static const char running[] =
    "{\"jid\":\"j1\",\"jobtype\":\"gr\xc3\xbc\xc3\x9f"
    "e\\u001b[2J\",\"queue\":\"q\","
    "\"dispatch\":\"d\",\"attempt\":1,\"state\":\"running\",\"pid\":12,"
    "\"age_s\":61.9,\"left_s\":-2.5,\"percent\":40,\"desc\":\"a\\nb\"}";

static const char held[] =
    "{\"jid\":\"j2\",\"jobtype\":\"t\",\"queue\":\"q\",\"dispatch\":null,"
    "\"attempt\":1,\"state\":\"held\",\"pid\":null,\"age_s\":0.1,"
    "\"left_s\":7260,\"percent\":null,\"desc\":null}";

static struct json
object(const char *text)
{
	struct json value;

	assert_int_equal(json_check(text, strlen(text), &value, NULL), 0);
	return value;
}

/* Valid until the next call. */
static const char *
table(struct json *jobs, size_t n, size_t columns, size_t rows)
{
	static char text[65536];
	const struct snapshot s = {
		.supervisor = object(supervisor), .jobs = jobs, .njobs = n
	};
	struct buf *out = buf_new(sizeof text - 1);

	assert_int_equal(snapshot_put_table(&s, out, columns, rows), 0);
	memcpy(text, buf_front(out), buf_len(out));
	text[buf_len(out)] = '\0';
	buf_free(out);
	return text;
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static void
everything_is_shown(void **state)
{
	struct json jobs[] = { object(running), object(held) };

	(void)state;
	assert_string_equal(table(jobs, 2, 0, 0),
	    "faktotum 1.2.3, pid 7, up 1d02h\n"
	    "server    tcp://h:1, connected, wid abc\n"
	    "settings  /etc/f.yaml, reading 2\n"
	    "state     jobs are fetched\n"
	    "slots     2 of 4 in use, 1 held\n"
	    "outcomes  5 done, 6 failed, 2 given back, 1 late, 0 lost, 0 "
	    "dropped, 3 not "
	    "confirmed yet\n"
	    "\n"
	    "STATE        PID     AGE    LEFT DONE JOBTYPE          JID      "
	    "                WHAT IT SAYS\n"
	    "running       12   1m01s     -2s  40% gr\xc3\xbc\xc3\x9f"
	    "e\\x1b[2J"
	    "     j1                       a\\x0ab\n"
	    "held           -      0s   2h01m    - t                j2\n");
	assert_null(strstr(table(NULL, 0, 0, 0), "STATE"));
}

static void
it_is_cut_to_its_place(void **state)
{
	struct json jobs[40];

	(void)state;
	for (size_t i = 0; i < 40; i++)
		jobs[i] = object(running);
	for (size_t rows = 1; rows < 60; rows++) {
		const char *text = table(jobs, 40, 30, rows);

		assert_true(count_lines(text) <= rows);
		assert_true(rows > 48 || count_lines(text) == rows);
		for (const char *s = text; *s != '\0';) {
			size_t bytes = strcspn(s, "\n"), chars = 0;

			for (size_t k = 0; k < bytes; k++)
				chars += (s[k] & 0xc0) != 0x80;
			assert_true(chars <= 30);
			s += bytes + 1;
		}
	}
	/* Six about the supervisor, an empty one, the head, eleven jobs. */
	assert_non_null(strstr(table(jobs, 40, 0, 20), "\nand 29 more\n"));
	assert_null(strstr(table(jobs, 40, 0, 48), "more"));
}

static void
json_is_shown_and_not_obeyed(void **state)
{
	struct json job = object("{\"a\":\"\xc2\x9b"
				 "31m\x7f\xc3\xa9\\u001b\xc2\xa0\"}");
	const struct snapshot s = { .supervisor = object("{}"),
		.jobs = &job,
		.njobs = 1,
		.left_out = 3 };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	snapshot_put_json(&s, f);
	fclose(f);
	assert_string_equal(text,
	    "{\"supervisor\":{},\"jobs\":[{\"a\":\"\\u009b31m\\u007f\xc3\xa9"
	    "\\u001b\xc2\xa0\"}],\"left_out\":3}\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_shown),
		cmocka_unit_test(it_is_cut_to_its_place),
		cmocka_unit_test(json_is_shown_and_not_obeyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
