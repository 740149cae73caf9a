/*
 * beanstalk_load - put, reserve and delete against a beanstalkd, as fast as
 * it answers.
 *
 *     beanstalk_load PORT CONNECTIONS SECONDS
 *
 * The same life of a job that `load --mode cycle` gives to a Faktory server:
 * each connection has one request on its way, and a job as large as there. One
 * JSON object on stdout. What is no expected answer ends it with status 1, and
 * so does a job that comes twice or that nobody put.
 *
 * SPDX-License-Identifier: ISC
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { JOB_BYTES = 300, MAX_CONNS = 1000, EVENTS = 64, MAX_JOBS = 10000000 };

enum step { PUTTING, RESERVING, DELETING };

struct conn {
	int fd;
	enum step step;
	size_t len;
	char in[JOB_BYTES + 200];
};

static char put_line[JOB_BYTES + 100];

/* By the number of the job: what was said of it. */
enum { PUT = 1, TAKEN = 2 };
static unsigned char said[MAX_JOBS];

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static double
seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
ask(struct conn *c, enum step step, const char *line)
{
	size_t len = strlen(line);

	c->step = step;
	c->len = 0;
	if (send(c->fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail("send: %s", strerror(errno));
}

static void
dial(struct conn *c, int epoll, unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = c } };
	const int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
		fail("connect: %s", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		fail("epoll_ctl: %s", strerror(errno));
}

/* Whether the whole answer is there; the job's body ends with a line end. */
static int
is_whole(const struct conn *c)
{
	const char *end = memchr(c->in, '\n', c->len);

	if (end == NULL)
		return 0;
	return c->step != RESERVING ||
	    c->len == (size_t)(end + 1 - c->in) + JOB_BYTES + 2;
}

/* Each number is given once, and a job comes once. */
static void
note(unsigned long long id, unsigned char what)
{
	if (id >= MAX_JOBS)
		fail("job %llu is one too many", id);
	if (said[id] & what)
		fail("job %llu %s twice", id, what == PUT ? "was put" : "came");
	said[id] |= what;
}

/* A job may come before its own INSERTED, if that is still on its way. */
static void
check_all(const struct conn *conns, int count)
{
	int strangers = 0, unanswered = 0;

	for (size_t i = 0; i < MAX_JOBS; i++)
		strangers += said[i] == TAKEN;
	for (int i = 0; i < count; i++)
		unanswered += conns[i].step == PUTTING;
	if (strangers > unanswered)
		fail("%d jobs came that nobody put", strangers - unanswered);
}

/* Returns 1 when a job's life is over. */
static int
go_on(struct conn *c)
{
	char line[64];
	unsigned long long id;

	c->in[c->len] = '\0';
	switch (c->step) {
	case PUTTING:
		if (sscanf(c->in, "INSERTED %llu", &id) != 1)
			fail("put: %s", c->in);
		note(id, PUT);
		ask(c, RESERVING, "reserve\r\n");
		return 0;
	case RESERVING:
		if (sscanf(c->in, "RESERVED %llu", &id) != 1)
			fail("reserve: %s", c->in);
		note(id, TAKEN);
		snprintf(line, sizeof line, "delete %llu\r\n", id);
		ask(c, DELETING, line);
		return 0;
	case DELETING:
		if (strncmp(c->in, "DELETED", 7) != 0)
			fail("delete: %s", c->in);
		ask(c, PUTTING, put_line);
		return 1;
	}
	return 0;
}

static int
on_bytes(struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, sizeof c->in - 1 - c->len, 0);

	if (n <= 0)
		fail("the server closed: %s", n < 0 ? strerror(errno) : "");
	c->len += (size_t)n;
	return is_whole(c) ? go_on(c) : 0;
}

int
main(int argc, char **argv)
{
	static struct conn conns[MAX_CONNS];
	unsigned port = argc == 4 ? (unsigned)atoi(argv[1]) : 0;
	int count = argc == 4 ? atoi(argv[2]) : 0;
	double seconds = argc == 4 ? atof(argv[3]) : 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC), head;
	long done = 0;

	if (port == 0 || count < 1 || count > MAX_CONNS || seconds <= 0)
		fail("usage: beanstalk_load PORT CONNECTIONS SECONDS");
	head = snprintf(
	    put_line, sizeof put_line, "put 0 0 60 %d\r\n", (int)JOB_BYTES);
	memset(put_line + head, 'x', JOB_BYTES);
	memcpy(put_line + head + JOB_BYTES, "\r\n", 3);
	for (int i = 0; i < count; i++) {
		dial(&conns[i], epoll, port);
		ask(&conns[i], PUTTING, put_line);
	}
	double began = seconds_now(), now = began;
	while ((now = seconds_now()) - began < seconds) {
		struct epoll_event ready[EVENTS];
		int n = epoll_wait(epoll, ready, EVENTS, 10000);

		if (n == 0)
			fail("no answer within 10 s");
		for (int i = 0; i < n; i++)
			done += on_bytes(ready[i].data.ptr);
	}
	check_all(conns, count);
	printf("{\"rate\":%.1f,\"ops\":%ld}\n", (double)done / (now - began),
	    done);
	return 0;
}
