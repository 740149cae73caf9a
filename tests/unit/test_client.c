/*
 * A conversation comes up, hands each reply to the one who asked, and comes
 * back after every way in which it can be lost; nobody waits for a reply that
 * cannot come any more.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/client.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>

#include <cmocka.h>

#include "protocol/hello.h"
#include "tests/unit/heard_log.h"
#include "tests/unit/scripted_peer.h"

enum { REPLIES_MAX = 8 };

/* A client, what its hooks heard, and the answers to its requests. */
struct sample {
	struct peer peer;
	struct ev_loop *loop;
	struct client *client;
	bool up, down, done;
	int ups, downs;
	char replies[REPLIES_MAX][64]; /* "lost" for one that never came */
	size_t nreplies, want;
};

static void
on_up(void *ctx)
{
	struct sample *s = ctx;

	s->up = true;
	s->ups++;
}

static void
on_down(void *ctx)
{
	struct sample *s = ctx;

	s->down = true;
	s->downs++;
}

static const struct client_hooks hooks = { on_up, on_down };

static void
on_reply(void *ctx, const struct resp *r)
{
	struct sample *s = ctx;

	assert_true(s->nreplies < REPLIES_MAX);
	snprintf(s->replies[s->nreplies], sizeof s->replies[0], "%.*s",
	    r != NULL && r->text != NULL ? (int)r->len : 4,
	    r == NULL             ? "lost"
		: r->text != NULL ? r->text
				  : "null");
	s->nreplies++;
	if (s->nreplies == s->want)
		s->done = true;
}

static void
set_up(struct sample *s, const char *const *script)
{
	memset(s, 0, sizeof *s);
	peer_start(&s->peer, script);
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->client = client_new(
	    s->loop, &s->peer.who, "test", LOG_LEVEL_ERROR, &hooks, s);
	assert_non_null(s->client);
}

static void
tear_down(struct sample *s)
{
	client_free(s->client);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

static void
ask(struct sample *s, const char *line)
{
	assert_int_equal(
	    client_ask(s->client, line, strlen(line), on_reply, s), 0);
}

static void
replies_reach_their_askers_in_order(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ONE",
		"< TWO", "< THREE", ">> $5\r\nal", ">> pha\r\n+be", "> ta",
		"> $-1", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	assert_int_equal(
	    client_ask(s.client, "ONE\r\n", 5, on_reply, &s), -ENOTCONN);
	client_start(s.client);
	turn_until(s.loop, &s.up);
	assert_true(client_ready(s.client));
	ask(&s, "ONE\r\n");
	ask(&s, "TWO\r\n");
	ask(&s, "THREE\r\n");
	s.want = 3;
	turn_until(s.loop, &s.done);
	assert_string_equal(s.replies[0], "alpha");
	assert_string_equal(s.replies[1], "beta");
	assert_string_equal(s.replies[2], "null");
	tear_down(&s);
}

static void
hello_says_who_we_are_and_proves_the_password(void **state)
{
	static char label[] = "reports";
	char *labels[] = { label };
	char hash[HELLO_HASH_HEX + 1], wanted[512];
	const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"i\":1234,\"s\":\"5f\"}", wanted, "> +OK",
		NULL };
	struct sample s;

	(void)state;
	wanted[0] = '\0';
	assert_int_equal(password_hash("secret", "5f", 1234, hash), 0);
	set_up(&s, script);
	s.peer.who.password = "secret";
	s.peer.who.labels = labels;
	s.peer.who.nlabels = 1;
	snprintf(wanted, sizeof wanted,
	    "< HELLO {\"v\":2,\"wid\":\"%s\",\"hostname\":\"%s\",\"pid\":%d,"
	    "\"labels\":[\"reports\"],\"pwdhash\":\"%s\"}",
	    s.peer.who.wid, s.peer.who.hostname, (int)getpid(), hash);
	client_start(s.client);
	turn_until(s.loop, &s.up);
	tear_down(&s);
}

static void
a_lost_conversation_tells_the_waiting_and_comes_back(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ONE",
		"< TWO", "> +first", "close", "accept", "greet", "< THREE",
		"> +third", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	client_start(s.client);
	turn_until(s.loop, &s.up);
	ask(&s, "ONE\r\n");
	ask(&s, "TWO\r\n");
	turn_until(s.loop, &s.down);
	assert_int_equal(s.nreplies, 2);
	assert_string_equal(s.replies[0], "first");
	assert_string_equal(s.replies[1], "lost");
	s.up = false;
	turn_until(s.loop, &s.up);
	ask(&s, "THREE\r\n");
	s.want = 3;
	turn_until(s.loop, &s.done);
	assert_string_equal(s.replies[2], "third");
	assert_int_equal(s.downs, 1);
	tear_down(&s);
}

/* Each script loses the first conversation; the second one works. */
static void
every_loss_is_told_with_its_reason(void **state)
{
	static const struct {
		const char *script[12];
		const char *why;
	} cases[] = {
		{ { "accept", "close", "accept", "greet" },
		    "the server closed the connection before its greeting; "
		    "does it want TLS (tcp+tls://)?" },
		{ { "accept", "> +HI {\"v\":2}", "< HELLO", "close", "accept",
		      "greet" },
		    "the server closed the connection after HELLO" },
		{ { "accept", "> hello there", "ended", "accept", "greet" },
		    "the server sent something that is no reply" },
		{ { "accept", "> $2\r\nHI", "ended", "accept", "greet" },
		    "the server did not greet as Faktory does" },
		{ { "accept", "> +HI {\"v\":2}", "< HELLO", "> -ERR go away",
		      "ended", "accept", "greet" },
		    "the server answers HELLO with \"ERR go away\"" },
		{ { "accept", "greet", "> -ERR too many connections: 2001",
		      "ended", "accept", "greet" },
		    "the server says \"ERR too many connections: 2001\" "
		    "unasked" },
		{ { "accept", "greet", "> $68000000", "ended", "accept",
		      "greet" },
		    "the server's reply is larger than we accept" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct heard heard;
		struct sample s;
		char want[512];

		set_up(&s, cases[i].script);
		heard_begin(&heard);
		client_start(s.client);
		turn_until(s.loop, &s.down);
		s.up = false;
		turn_until(s.loop, &s.up);
		heard_end(&heard);
		snprintf(want, sizeof want, "server  %s: %s; next try in 0.",
		    s.peer.who.shown, cases[i].why);
		if (strstr(heard.text, want) == NULL)
			fail_msg("wanted %s, heard %s", want, heard.text);
		tear_down(&s);
	}
}

static void
a_refused_password_is_not_tried_often(void **state)
{
	static const struct {
		const char *script[8];
		const char *password, *why;
	} cases[] = {
		{ { "accept", "> +HI {\"v\":2,\"i\":10,\"s\":\"5f\"}",
		      "< HELLO", "> -ERR Invalid password", "ended" },
		    "secret", "the server does not accept the password" },
		{ { "accept", "> +HI {\"v\":2,\"i\":10,\"s\":\"5f\"}",
		      "ended" },
		    NULL, "the server asks for a password and none is set" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct heard heard;
		struct sample s;
		char want[512];

		set_up(&s, cases[i].script);
		s.peer.who.password = cases[i].password;
		heard_begin(&heard);
		client_start(s.client);
		turn_until(s.loop, &s.down);
		heard_end(&heard);
		snprintf(want, sizeof want, "%s: %s; next try in 30.0 s",
		    s.peer.who.shown, cases[i].why);
		assert_non_null(strstr(heard.text, want));
		assert_null(strstr(heard.text, "secret"));
		tear_down(&s);
	}
}

static void
a_refused_connection_is_tried_again(void **state)
{
	static const char *const script[] = { NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	close(s.peer.listener);
	s.peer.listener = open("/dev/null", O_RDONLY);
	heard_begin(&heard);
	client_start(s.client);
	turn_until(s.loop, &s.down);
	s.down = false;
	turn_until(s.loop, &s.down);
	heard_end(&heard);
	assert_non_null(strstr(heard.text, "Connection refused"));
	assert_int_equal(s.downs, 2);
	tear_down(&s);
}

static void
a_name_is_looked_up(void **state)
{
	static const char *const script[] = { "accept", "greet", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	snprintf(s.peer.url.host, sizeof s.peer.url.host, "localhost");
	client_start(s.client);
	turn_until(s.loop, &s.up);
	tear_down(&s);
}

static void
end_is_said_and_nothing_dialled_any_more(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ONE",
		"< END", "ended", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	client_start(s.client);
	turn_until(s.loop, &s.up);
	ask(&s, "ONE\r\n");
	ev_run(s.loop, EVRUN_NOWAIT);
	client_end(s.client);
	assert_false(client_ready(s.client));
	assert_int_equal(s.nreplies, 1);
	assert_string_equal(s.replies[0], "lost");
	/* Nothing is left that could keep the loop turning. */
	ev_run(s.loop, 0);
	assert_int_equal(s.downs, 0);
	tear_down(&s);
}

static void
redial_begins_a_new_conversation_at_once(void **state)
{
	static const char *const script[] = { "accept", "greet", "accept",
		"greet", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	client_start(s.client);
	turn_until(s.loop, &s.up);
	s.up = false;
	client_redial(s.client, "because");
	assert_int_equal(s.downs, 1);
	turn_until(s.loop, &s.up);
	assert_int_equal(s.ups, 2);
	tear_down(&s);
}

static void
more_than_the_ceiling_is_not_taken(void **state)
{
	static const char *const script[] = { "accept", "greet", "wait", NULL };
	char *line = calloc(1, CLIENT_OUT_MAX);
	struct sample s;

	(void)state;
	set_up(&s, script);
	client_start(s.client);
	turn_until(s.loop, &s.up);
	assert_int_equal(
	    client_ask(s.client, line, CLIENT_OUT_MAX, on_reply, &s), 0);
	assert_int_equal(client_ask(s.client, line, 1, on_reply, &s), -ENOBUFS);
	free(line);
	peer_go(&s.peer);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_reach_their_askers_in_order),
		cmocka_unit_test(hello_says_who_we_are_and_proves_the_password),
		cmocka_unit_test(
		    a_lost_conversation_tells_the_waiting_and_comes_back),
		cmocka_unit_test(every_loss_is_told_with_its_reason),
		cmocka_unit_test(a_refused_password_is_not_tried_often),
		cmocka_unit_test(a_refused_connection_is_tried_again),
		cmocka_unit_test(a_name_is_looked_up),
		cmocka_unit_test(end_is_said_and_nothing_dialled_any_more),
		cmocka_unit_test(redial_begins_a_new_conversation_at_once),
		cmocka_unit_test(more_than_the_ceiling_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
