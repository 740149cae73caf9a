/*
 * Of many jobs, each one that the server did not take is told by
 * its line, and none is counted as pushed that was not.
 *
 * A thread plays the server: one canned answer for each command, and the
 * commands are kept to be looked at.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/bulk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct peer {
	const char *const *answers; /* to each command, NULL at the end */
	int listener;
	char *heard; /* the commands after HELLO */
	size_t len;
	pthread_t thread;
};

static void *
play(void *ctx)
{
	struct peer *p = ctx;
	int fd = accept(p->listener, NULL, NULL);
	FILE *in = fdopen(dup(fd), "r");
	FILE *heard = open_memstream(&p->heard, &p->len);
	char *line = NULL;
	size_t cap = 0;

	dprintf(fd, "+HI {\"v\":2}\r\n");
	if (getline(&line, &cap, in) > 0)
		dprintf(fd, "+OK\r\n");
	for (size_t i = 0; p->answers[i] != NULL; i++) {
		if (getline(&line, &cap, in) <= 0)
			break;
		fputs(line, heard);
		dprintf(fd, "%s", p->answers[i]);
	}
	fclose(heard);
	fclose(in);
	free(line);
	close(fd);
	return NULL;
}

static struct connection *
meet(struct peer *p, const char *const *answers)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at;
	struct url u = { .host = "127.0.0.1" };
	struct err e;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*p = (struct peer){ .answers = answers };
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(p->listener, 1), 0);
	assert_int_equal(
	    getsockname(p->listener, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, play, p), 0);
	u.port = ntohs(at.sin_port);
	struct connection *c =
	    connection_open(&u, NULL, 60 * CLOCK_NS_PER_S, &e);
	assert_non_null(c);
	return c;
}

static int
input(const char *text)
{
	FILE *f = tmpfile();
	int fd = dup(fileno(f));

	fputs(text, f);
	fclose(f);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static const struct draft nothing = { .queue = "default", .retry = 25 };

#define JOB(jid, type)                                                         \
	"{\"jid\":\"" jid "\",\"jobtype\":\"" type "\",\"args\":[],"           \
	"\"queue\":\"q\",\"retry\":1,\"created_at\":\"x\"}"

static struct bulk_result
push_text(const char *text, const char *const *answers, const char *heard)
{
	struct bulk_result n;
	struct peer p;
	struct connection *c = meet(&p, answers);
	int fd = input(text);

	(void)bulk_push(c, fd, &nothing, &n);
	close(fd);
	connection_close(c);
	pthread_join(p.thread, NULL);
	close(p.listener);
	if (heard != NULL)
		assert_string_equal(p.heard, heard);
	free(p.heard);
	return n;
}

static void
lines_become_one_command(void **state)
{
	static const char *const answers[] = { "$2\r\n{}\r\n", NULL };

	(void)state;
	struct bulk_result n = push_text(
	    JOB("jid00001", "a") "\n\n" JOB("jid00002", "b"), answers,
	    "PUSHB [" JOB("jid00001", "a") "," JOB("jid00002", "b") "]\r\n");
	assert_int_equal(n.pushed, 2);
	assert_int_equal(n.refused, 0);
	assert_int_equal(n.postponed, 0);
	assert_false(n.broken);
}

static void
a_job_that_the_server_does_not_take_is_not_counted_as_pushed(void **state)
{
	static const char *const answers[] = {
		"$57\r\n{\"jid00002\":\"NOTUNIQUE Job not unique\","
		"\"jid00003\":\"disk\"}\r\n",
		NULL,
	};

	(void)state;
	struct bulk_result n =
	    push_text(JOB("jid00001", "a") "\n" JOB("jid00002", "a") "\n" JOB(
			  "jid00003", "a") "\n",
		answers, NULL);
	assert_int_equal(n.pushed, 1);
	assert_int_equal(n.refused, 1);
	assert_int_equal(n.postponed, 1);
	assert_false(n.broken);
}

static void
a_bad_line_does_not_stop_the_others(void **state)
{
	static const char *const answers[] = { "$2\r\n{}\r\n", NULL };

	(void)state;
	struct bulk_result n = push_text("nonsense\n" JOB("jid00001", "a") "\n",
	    answers, "PUSHB [" JOB("jid00001", "a") "]\r\n");
	assert_int_equal(n.pushed, 1);
	assert_int_equal(n.refused, 1);
	assert_false(n.broken);
}

static void
a_command_without_an_answer_is_not_pushed(void **state)
{
	static const char *const answers[] = { "", NULL };

	(void)state;
	struct bulk_result n =
	    push_text(JOB("jid00001", "a") "\n", answers, NULL);
	assert_int_equal(n.pushed, 0);
	assert_int_equal(n.postponed, 1);
	assert_true(n.broken);
}

static void
a_failing_store_postpones_the_whole_command(void **state)
{
	static const char *const answers[] = { "-ERR disk is full\r\n", NULL };

	(void)state;
	struct bulk_result n = push_text(
	    JOB("jid00001", "a") "\n" JOB("jid00002", "a") "\n", answers, NULL);
	assert_int_equal(n.pushed, 0);
	assert_int_equal(n.refused, 0);
	assert_int_equal(n.postponed, 2);
	assert_false(n.broken);
}

static void
more_than_a_thousand_jobs_are_several_commands(void **state)
{
	static const char *const answers[] = { "$2\r\n{}\r\n", "$2\r\n{}\r\n",
		"$2\r\n{}\r\n", NULL };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct bulk_result n;
	struct peer p;
	size_t commands = 0;

	(void)state;
	for (int i = 0; i < 2 * BULK_JOBS + 1; i++)
		fputs(JOB("jid00001", "a") "\n", f);
	fclose(f);
	struct connection *c = meet(&p, answers);
	int fd = input(text);
	assert_int_equal(bulk_push(c, fd, &nothing, &n), 0);
	pthread_join(p.thread, NULL);
	for (const char *at = p.heard; (at = strstr(at, "PUSHB [")) != NULL;
	     at++)
		commands++;
	assert_int_equal(commands, 3);
	assert_int_equal(n.pushed, 2 * BULK_JOBS + 1);
	connection_close(c);
	close(p.listener);
	close(fd);
	free(p.heard);
	free(text);
}

static void
a_job_is_at_fault_only_when_the_server_says_so(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "ERR invalid JSON: x", true },
		{ "ERR jobs must have a jobtype parameter", true },
		{ "jobs cannot be reserved for more than one day", true },
		{ "cannot get \"a b\" queue: …", true },
		{ "ERR invalid timestamp for 'at': x", true },
		{ "NOTUNIQUE Job not unique", true },
		{ "ERR disk is full", false },
		{ "ERR shutdown in progress", false },
		{ "MISCONF Redis is configured", false },
		{ "ERR", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    bulk_is_refusal(cases[i].text, strlen(cases[i].text)),
		    cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_one_command),
		cmocka_unit_test(
		    a_job_that_the_server_does_not_take_is_not_counted_as_pushed),
		cmocka_unit_test(a_bad_line_does_not_stop_the_others),
		cmocka_unit_test(a_command_without_an_answer_is_not_pushed),
		cmocka_unit_test(a_failing_store_postpones_the_whole_command),
		cmocka_unit_test(
		    more_than_a_thousand_jobs_are_several_commands),
		cmocka_unit_test(
		    a_job_is_at_fault_only_when_the_server_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
