/*
 * The same bytes come out that went in, in plain text and in TLS, however
 * small the pieces; and whom we must not believe is refused with the reason
 * in one line.
 *
 * Both ends live in one thread and take turns.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/certificates.h"

enum { HOUR = 3600, LOTS = 300000 };

static char dir[] = "/tmp/test_stream.XXXXXX";
static const char *const files[] = { "ca.pem", "stranger.pem", "here.pem",
	"here.key", "old.pem", "old.key", "early.pem", "early.key",
	"worker.pem", "worker.key", "forged.pem", "forged.key" };

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	struct authority ca = authority_make(dir, "ca");
	struct authority stranger = authority_make(dir, "stranger");
	static const char names[] =
	    "DNS:here,DNS:*.far.org,IP:127.0.0.1,IP:::1";

	authority_issue(&ca, dir, "here", names, -HOUR, HOUR);
	authority_issue(&ca, dir, "old", names, -2 * HOUR, -HOUR);
	authority_issue(&ca, dir, "early", names, HOUR, 2 * HOUR);
	authority_issue(&ca, dir, "worker", NULL, -HOUR, HOUR);
	authority_issue(&stranger, dir, "forged", names, -HOUR, HOUR);
	authority_clear(&ca);
	authority_clear(&stranger);
	return 0;
}

static int
tear_down(void **state)
{
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(name, sizeof name, "%s/%s", dir, files[i]);
		unlink(name);
	}
	return rmdir(dir);
}

/* NULL: none of its kind. */
static struct tls *
context(bool server, const char *ca, const char *cert, const char *name,
    bool anyone)
{
	const struct tls_plan plan = { .ca = ca != NULL ? in_dir(dir, ca, "pem")
							: NULL,
		.cert = cert != NULL ? in_dir(dir, cert, "pem") : NULL,
		.key = cert != NULL ? in_dir(dir, cert, "key") : NULL,
		.name = name,
		.anyone = anyone };
	struct err e;
	struct tls *t =
	    server ? tls_server(&plan, NULL, &e) : tls_client(&plan, NULL, &e);

	if (t == NULL)
		fail_msg("%s", e.text);
	return t;
}

static void
wire(int fd[2])
{
	const int small = 4096;

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
}

struct pair {
	struct stream *end[2]; /* the one that dialled, the one that was */
	int result[2];
	struct err why[2];
};

/* Lets both shake hands until each is done or has failed. */
static void
shake(struct pair *p)
{
	p->result[0] = p->result[1] = -EAGAIN;
	for (int turn = 0; turn < 100; turn++)
		for (int i = 0; i < 2; i++)
			if (p->result[i] == -EAGAIN)
				p->result[i] =
				    stream_shake(p->end[i], &p->why[i]);
}

static void
meet(struct pair *p, struct tls *client, struct tls *server, const char *host)
{
	struct err e;
	int fd[2];

	wire(fd);
	p->end[0] = client != NULL ? stream_client(fd[0], client, host, &e)
				   : stream_plain(fd[0], &e);
	p->end[1] = server != NULL ? stream_server(fd[1], server, &e)
				   : stream_plain(fd[1], &e);
	assert_non_null(p->end[0]);
	assert_non_null(p->end[1]);
	/* They hold what they need. */
	tls_drop(client);
	tls_drop(server);
	shake(p);
}

static void
part(struct pair *p)
{
	stream_close(p->end[0]);
	stream_close(p->end[1]);
}

/* All of it from one end to the other, whose hands are small. */
static void
carry(struct stream *from, struct stream *to)
{
	static unsigned char sent[LOTS], got[LOTS];
	size_t nsent = 0, ngot = 0;
	struct err e;

	for (size_t i = 0; i < LOTS; i++)
		sent[i] = (unsigned char)(i * 7 ^ i >> 8);
	while (ngot < LOTS) {
		ssize_t n = nsent < LOTS
		    ? stream_write(from, sent + nsent, LOTS - nsent, &e)
		    : 0;

		if (n > 0)
			nsent += (size_t)n;
		else
			assert_true(n == 0 || n == -EAGAIN);
		do {
			n = stream_read(to, got + ngot, 1000, &e);
			if (n > 0)
				ngot += (size_t)n;
		} while (n > 0 && stream_pending(to) && ngot < LOTS - 1000);
		assert_true(n > 0 || n == -EAGAIN);
	}
	assert_memory_equal(sent, got, LOTS);
}

static void
every_byte_arrives_both_ways(void **state)
{
	(void)state;
	for (int secure = 0; secure < 2; secure++) {
		struct pair p;
		struct err e;
		char byte;

		meet(&p,
		    secure ? context(false, "ca", NULL, NULL, false) : NULL,
		    secure ? context(true, NULL, "here", NULL, false) : NULL,
		    "here");
		assert_int_equal(p.result[0], 0);
		assert_int_equal(p.result[1], 0);
		assert_int_equal(stream_read(p.end[0], &byte, 1, &e), -EAGAIN);
		assert_int_equal(
		    stream_events(p.end[0], true, false), STREAM_READABLE);
		carry(p.end[0], p.end[1]);
		carry(p.end[1], p.end[0]);
		stream_bye(p.end[0]);
		stream_close(p.end[0]);
		assert_int_equal(stream_read(p.end[1], &byte, 1, &e), 0);
		stream_close(p.end[1]);
	}
}

static void
names_are_those_of_the_certificate(void **state)
{
	static const struct {
		const char *host, *name;
		bool good;
	} cases[] = { { "here", NULL, true }, { "HERE", NULL, true },
		{ "a.far.org", NULL, true }, { "127.0.0.1", NULL, true },
		{ "::1", NULL, true }, { "::1%lo", NULL, true },
		{ "elsewhere", "here", true }, { "elsewhere", NULL, false },
		{ "here", "elsewhere", false }, { "a.b.far.org", NULL, false },
		{ "127.0.0.2", NULL, false }, { "::2", NULL, false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pair p;
		char want[200];

		meet(&p, context(false, "ca", NULL, cases[i].name, false),
		    context(true, NULL, "here", NULL, false), cases[i].host);
		if (cases[i].good && p.result[0] != 0)
			fail_msg("%s", p.why[0].text);
		if (cases[i].good) {
			assert_int_equal(p.result[0], 0);
		} else {
			snprintf(want, sizeof want,
			    "the server's certificate is for here, *.far.org, "
			    "127.0.0.1, ::1, not for %s",
			    cases[i].name != NULL ? cases[i].name
						  : cases[i].host);
			assert_int_equal(p.result[0], -EPERM);
			assert_string_equal(p.why[0].text, want);
		}
		part(&p);
	}
}

static void
who_cannot_be_believed_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *cert, *why;
	} cases[] = {
		{ "old", "the server's certificate expired on 2" },
		{ "early", "the server's certificate is valid only from 2" },
		{ "forged",
		    "the server's certificate is signed by an unknown "
		    "CA (stranger)" },
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		meet(&p, context(false, "ca", NULL, NULL, false),
		    context(true, NULL, cases[i].cert, NULL, false), "here");
		assert_int_equal(p.result[0], -EPERM);
		if (strncmp(
			p.why[0].text, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg(
			    "wanted %s, heard %s", cases[i].why, p.why[0].text);
		/* The other end hears that it was not believed. */
		assert_int_equal(p.result[1], -EPERM);
		assert_non_null(strstr(p.why[1].text,
		    "the client does not accept our certificate: "));
		part(&p);
		/* Only who says so believes anybody. */
		meet(&p, context(false, NULL, NULL, NULL, true),
		    context(true, NULL, cases[i].cert, NULL, false), "nobody");
		assert_int_equal(p.result[0], 0);
		part(&p);
	}
	/* The system does not know our CA. */
	meet(&p, context(false, NULL, NULL, NULL, false),
	    context(true, NULL, "here", NULL, false), "here");
	assert_string_equal(p.why[0].text,
	    "the server's certificate is signed by an unknown CA (ca)");
	part(&p);
}

/* In TLS 1.3 the client hears of it when it reads. */
static void
a_server_can_ask_for_a_certificate(void **state)
{
	static const struct {
		const char *cert, *server, *client;
	} cases[] = {
		{ "worker", NULL, NULL },
		{ NULL, "the client shows no certificate",
		    "the server asks for a certificate and got none" },
		{ "forged",
		    "the client's certificate is signed by an unknown CA "
		    "(stranger)",
		    "the server does not accept our certificate: unknown CA" },
		{ "old", "the client's certificate expired on 2",
		    "the server does not accept our certificate: certificate "
		    "expired" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pair p;
		struct err e;
		char byte;

		meet(&p, context(false, "ca", cases[i].cert, NULL, false),
		    context(true, "ca", "here", NULL, false), "here");
		assert_int_equal(p.result[0], 0);
		ssize_t n = stream_read(p.end[0], &byte, 1, &e);
		if (cases[i].server == NULL) {
			assert_int_equal(p.result[1], 0);
			assert_int_equal(n, -EAGAIN);
		} else {
			assert_int_equal(p.result[1], -EPERM);
			assert_int_equal(strncmp(p.why[1].text, cases[i].server,
					     strlen(cases[i].server)),
			    0);
			assert_int_equal(n, -EPERM);
			assert_string_equal(e.text, cases[i].client);
			/* It stays so. */
			assert_int_equal(
			    stream_read(p.end[0], &byte, 1, &e), 0);
			assert_true(stream_write(p.end[0], "x", 1, &e) < 0);
		}
		part(&p);
	}
}

static void
plain_text_is_recognised(void **state)
{
	static const char *const says[] = { "+HI {\"v\":2}\r\n",
		"HELLO {\"v\":2}\r\n", "GET / HTTP/1.1\r\n", "\n" };
	struct pair p;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
		for (int server = 0; server < 2; server++) {
			int fd[2];

			wire(fd);
			p.end[0] = stream_plain(fd[0], &e);
			struct tls *t = server
			    ? context(true, NULL, "here", NULL, false)
			    : context(false, "ca", NULL, NULL, false);
			p.end[1] = server ? stream_server(fd[1], t, &e)
					  : stream_client(fd[1], t, "here", &e);
			tls_drop(t);
			assert_true(stream_write(p.end[0], says[i],
					strlen(says[i]), &e) > 0);
			int r = stream_shake(p.end[1], &e);
			/* A single byte does not make a record. */
			shutdown(stream_fd(p.end[0]), SHUT_WR);
			for (int n = 0; n < 5 && r == -EAGAIN; n++)
				r = stream_shake(p.end[1], &e);
			assert_int_equal(r, -EPROTO);
			assert_string_equal(e.text,
			    server ? "the client does not speak TLS"
				   : "the server does not speak TLS");
			assert_true(stream_is_plain_peer(p.end[1]));
			part(&p);
		}
	}
}

static void
an_end_in_the_middle_is_told(void **state)
{
	struct pair p;
	struct err e;
	char byte, hello[4096];
	int fd[2];

	(void)state;
	wire(fd);
	struct tls *t = context(false, "ca", NULL, NULL, false);
	p.end[0] = stream_client(fd[0], t, "here", &e);
	tls_drop(t);
	assert_int_equal(stream_shake(p.end[0], &e), -EAGAIN);
	assert_true(read(fd[1], hello, sizeof hello) > 0);
	close(fd[1]);
	assert_int_equal(stream_shake(p.end[0], &e), -ECONNRESET);
	assert_string_equal(e.text,
	    "the server closed the connection during the TLS handshake");
	assert_int_equal(stream_shake(p.end[0], &e), -ENOTCONN);
	stream_close(p.end[0]);

	/* Without a farewell, as from a process that was killed. */
	meet(&p, context(false, "ca", NULL, NULL, false),
	    context(true, NULL, "here", NULL, false), "here");
	shutdown(stream_fd(p.end[1]), SHUT_RDWR);
	assert_int_equal(stream_read(p.end[0], &byte, 1, &e), 0);
	part(&p);
	stream_close(NULL);
}

static void
versions_below_1_2_are_not_spoken(void **state)
{
	/* A ClientHello of TLS 1.1, as its clients send it. */
	static const unsigned char hello[] = { 22, 3, 1, 0, 47, 1, 0, 0, 43, 3,
		2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
		18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0,
		0, 4, 0, 47, 0, 53, 1, 0 };
	unsigned char alert[7];
	struct err e;
	int fd[2];

	(void)state;
	wire(fd);
	struct tls *t = context(true, NULL, "here", NULL, false);
	struct stream *s = stream_server(fd[1], t, &e);
	tls_drop(t);
	assert_int_equal(write(fd[0], hello, sizeof hello), sizeof hello);
	assert_int_equal(stream_shake(s, &e), -EPROTO);
	assert_string_equal(e.text,
	    "the client speaks no version of TLS that we speak (1.2 and "
	    "later)");
	assert_int_equal(read(fd[0], alert, sizeof alert), sizeof alert);
	assert_int_equal(alert[6], 70); /* protocol_version: RFC 5246, 7.2 */
	stream_close(s);
	close(fd[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_arrives_both_ways),
		cmocka_unit_test(names_are_those_of_the_certificate),
		cmocka_unit_test(
		    who_cannot_be_believed_is_refused_with_the_reason),
		cmocka_unit_test(a_server_can_ask_for_a_certificate),
		cmocka_unit_test(plain_text_is_recognised),
		cmocka_unit_test(an_end_in_the_middle_is_told),
		cmocka_unit_test(versions_below_1_2_are_not_spoken),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
