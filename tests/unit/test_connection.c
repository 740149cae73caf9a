/*
 * A verb never waits for ever: whatever answers at the other end, there is a
 * reply or a reason within the time limit.
 *
 * A thread plays the other end and says prepared bytes after each line heard.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/connection.h"

#include <arpa/inet.h>
#include <errno.h>
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

#define COUNT(a)  (sizeof(a) / sizeof(a)[0])
#define HI        "+HI {\"v\":2}\r\n"
#define LONG_TIME (60 * CLOCK_NS_PER_S)

struct peer {
	const char *says[5]; /* at once, then after each line; NULL ends */
	bool stays; /* after the last word, until the client has gone */
	int listener;
	uint16_t port;
	pthread_t thread;
};

static void *
play(void *ctx)
{
	struct peer *p = ctx;
	int fd = accept(p->listener, NULL, NULL);
	FILE *in = fdopen(fd, "r+");
	char line[1000];

	setbuf(in, NULL);
	for (size_t i = 0; p->says[i] != NULL; i++) {
		if (i > 0 && fgets(line, sizeof line, in) == NULL)
			break;
		/* In two pieces: a reply may arrive in any. */
		size_t half = strlen(p->says[i]) / 2;
		dprintf(fd, "%.*s", (int)half, p->says[i]);
		dprintf(fd, "%s", p->says[i] + half);
	}
	while (p->stays && fgets(line, sizeof line, in) != NULL)
		;
	fclose(in);
	return NULL;
}

static void
begin(struct peer *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(p->listener, 1), 0);
	assert_int_equal(
	    getsockname(p->listener, (struct sockaddr *)&at, &size), 0);
	p->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&p->thread, NULL, play, p), 0);
}

static struct connection *
dial(struct peer *p, int64_t timeout, struct err *e)
{
	struct url u = { .host = "127.0.0.1", .port = p->port };

	*e = (struct err){ 0 };
	return connection_open(&u, NULL, timeout, e);
}

static void
end(struct peer *p, struct connection *c)
{
	connection_close(c);
	pthread_join(p->thread, NULL);
	close(p->listener);
}

/* "tcp://127.0.0.1:PORT: " before the words. */
static void
assert_told(const struct peer *p, const struct err *e, const char *want)
{
	char text[512];

	(void)snprintf(
	    text, sizeof text, "tcp://127.0.0.1:%u: %s", p->port, want);
	assert_string_equal(e->text, text);
}

static void
replies_of_every_kind_come_back(void **state)
{
	struct peer p = {
		.says = { HI, "+OK\r\n", "$5\r\na\r\nbc\r\n", "-ERR no\r\n" },
		.stays = true,
	};
	struct resp reply;
	struct err e;

	(void)state;
	begin(&p);
	struct connection *c = dial(&p, LONG_TIME, &e);
	assert_non_null(c);
	assert_int_equal(connection_ask(c, "INFO", NULL, 0, &reply, &e), 0);
	assert_int_equal(reply.kind, RESP_BULK);
	assert_int_equal(reply.len, 5);
	assert_memory_equal(reply.text, "a\r\nbc", 5);
	assert_int_equal(connection_ask(c, "PUSH", "{}", 2, &reply, &e), 0);
	assert_int_equal(reply.kind, RESP_ERROR);
	assert_int_equal(reply.len, 6);
	assert_memory_equal(reply.text, "ERR no", 6);
	end(&p, c);
}

static void
who_is_no_faktory_server_is_told_apart(void **state)
{
	struct {
		struct peer peer;
		int code;
		const char *want;
	} cases[] = {
		{ { .says = { "SSH-2.0-OpenSSH\r\n" }, .stays = true }, EPROTO,
		    "what answers there is not a Faktory server" },
		{ { .says = { "" } }, ECONNRESET,
		    "the server closed the connection before its greeting; "
		    "does "
		    "it want TLS (tcp+tls://)?" },
		{ { .says = { HI, "-ERR Invalid password\r\n" } }, EACCES,
		    "HELLO: ERR Invalid password" },
		{ { .says = { HI, "-ERR go away\r\n" } }, EPROTO,
		    "HELLO: ERR go away" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin(&cases[i].peer);
		assert_null(dial(&cases[i].peer, LONG_TIME, &e));
		assert_int_equal(e.code, cases[i].code);
		assert_told(&cases[i].peer, &e, cases[i].want);
		end(&cases[i].peer, NULL);
	}
}

static void
silence_ends_within_the_time_limit(void **state)
{
	struct peer greets_not = { .says = { "+HI" }, .stays = true };
	struct peer answers_not = {
		.says = { HI, "+OK\r\n" },
		.stays = true,
	};
	struct resp reply;
	struct err e;

	(void)state;
	begin(&greets_not);
	assert_null(dial(&greets_not, 50 * CLOCK_NS_PER_MS, &e));
	assert_int_equal(e.code, ETIMEDOUT);
	assert_told(&greets_not, &e,
	    "no greeting in time; does the server want TLS (tcp+tls://)?");
	end(&greets_not, NULL);

	begin(&answers_not);
	struct connection *c = dial(&answers_not, 500 * CLOCK_NS_PER_MS, &e);
	assert_non_null(c);
	assert_int_equal(
	    connection_ask(c, "INFO", NULL, 0, &reply, &e), -ETIMEDOUT);
	assert_told(&answers_not, &e, "no answer in time");
	/* A late answer must not be taken for that of the next command. */
	assert_int_equal(
	    connection_ask(c, "INFO", NULL, 0, &reply, &e), -ENOTCONN);
	end(&answers_not, c);
}

static void
a_port_without_a_server_is_refused(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at;
	struct url u = { .host = "127.0.0.1" };
	struct err e;

	/* Bound but not listening: nobody else can have it meanwhile. */
	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	u.port = ntohs(at.sin_port);
	assert_null(connection_open(&u, NULL, LONG_TIME, &e));
	assert_int_equal(e.code, ECONNREFUSED);
	close(fd);
}

static void
the_server_is_the_one_given_or_the_environments(void **state)
{
	struct url u;
	struct err e;

	(void)state;
	setenv("FAKTORY_URL", "tcp://elsewhere:1234", 1);
	unsetenv("FAKTORY_PROVIDER");
	assert_int_equal(connection_server(NULL, &u, &e), 0);
	assert_string_equal(u.host, "elsewhere");
	assert_int_equal(connection_server("tcp://here:99", &u, &e), 0);
	assert_string_equal(u.host, "here");
	assert_int_equal(u.port, 99);
	assert_int_equal(connection_server("tcp+tls://here:99", &u, &e), 0);
	assert_true(u.tls);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_of_every_kind_come_back),
		cmocka_unit_test(who_is_no_faktory_server_is_told_apart),
		cmocka_unit_test(silence_ends_within_the_time_limit),
		cmocka_unit_test(a_port_without_a_server_is_refused),
		cmocka_unit_test(
		    the_server_is_the_one_given_or_the_environments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
