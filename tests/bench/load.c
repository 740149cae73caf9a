/*
 * load - as many jobs through a job server as it will take, counted.
 *
 * A closed loop over C connections, every one with a single request on its
 * way. Nothing here knows one server from another, so that all are treated
 * alike; and it believes nobody: every reply is looked at, every job that
 * comes back must be one that was pushed and must come back once.
 *
 *   cycle    PUSH, FETCH, ACK of one job on each connection, over and over
 *   pushb    PUSHB of a thousand jobs at a time
 *   latency  PUSH alone
 *   wake     from PUSH on one connection to the job on another that was
 *            already waiting for it
 *
 * Prints one JSON object; its percentiles are those of one turn of the loop.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/bench/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
	JOB_BYTES = 300,
	BATCH_JOBS = 1000,
	LINE_BYTES = 512,
	BATCH_BYTES = BATCH_JOBS * (JOB_BYTES + 1) + 64,
	MAX_CONNS = 1000,
	MAX_OPS = 10000000,
	MAX_SECONDS = 50, /* workers that do not beat are dropped after 60 */
	WAKE_PAUSE_NS = 2000000, /* lets the FETCH reach the server first */
};

enum step { IDLE, PUSHING, FETCHING, ACKING };

struct conn {
	struct wire wire; /* first: epoll's pointer is to either */
	enum step step;
	uint64_t began; /* the sample's first nanosecond */
	uint64_t due;   /* wake: when to push; 0 is not at all */
	struct conn *peer;
};

struct mode {
	const char *name;
	unsigned sockets_each; /* behind one of --connections */
	size_t request_max;
	bool fetches;
	void (*start)(struct conn *c);
	void (*reply)(struct conn *c, const struct reply *r);
};

static struct {
	const struct mode *mode;
	const char *queue;
	const char *jobtype;
	uint64_t port;
	uint64_t connections;
	uint64_t seconds;
	uint64_t ops;
} opt = { NULL, "bench", "bench", 0, 10, 5, MAX_OPS };

static struct {
	int epoll;
	struct conn *conns; /* owned */
	unsigned sockets;
	unsigned active;
	unsigned long long claimed; /* jobs */
	unsigned long long pushed;
	unsigned long long fetched;
	unsigned long long acked;
	uint64_t deadline;
	char prefix[16];     /* of every jid of this run */
	unsigned char *seen; /* owned; a bit for each job that came back */
	uint32_t *samples;   /* owned; nanoseconds */
	size_t nsamples;
} run;

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void
sample(uint64_t nanoseconds)
{
	enum { STEP = 65536 };

	if (run.nsamples % STEP == 0)
		run.samples = must(realloc(
		    run.samples, (run.nsamples + STEP) * sizeof *run.samples));
	run.samples[run.nsamples++] =
	    nanoseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)nanoseconds;
}

/* ---- Jobs ---- */

/* Writes one job of exactly JOB_BYTES at `to`, which has room for a NUL. */
static void
write_job(char *to, const char *queue)
{
	int n = snprintf(to, JOB_BYTES,
	    "{\"jid\":\"%s%010llu\",\"jobtype\":\"%s\",\"queue\":\"%s\","
	    "\"retry\":3,\"args\":[\"",
	    run.prefix, run.pushed, opt.jobtype, queue);

	if (n < 0 || n > JOB_BYTES - 3)
		fail("queue or jobtype too long");
	memset(to + n, 'x', (size_t)(JOB_BYTES - 3 - n));
	memcpy(to + JOB_BYTES - 3, "\"]}", 4);
	run.pushed++;
}

static void
push(struct conn *c, const char *queue)
{
	char job[JOB_BYTES + 1];

	write_job(job, queue);
	c->step = PUSHING;
	c->began = now();
	wire_ask(&c->wire, "PUSH %s", job);
}

static void
fetch(struct conn *c, const char *queue)
{
	c->step = FETCHING;
	wire_ask(&c->wire, "FETCH %s", queue);
}

/* The number in the jid, after making sure the job is ours and new. */
static unsigned long long
check_job(const struct wire *w, const struct reply *r)
{
	static const char key[] = "\"jid\":\"";
	size_t prefix = strlen(run.prefix), taken = sizeof key - 1 + prefix;
	const char *at;
	unsigned long long n;

	wire_expect_bulk(w, r);
	at = memmem(r->text, r->len, key, sizeof key - 1);
	if (at == NULL || r->len - (size_t)(at - r->text) < taken + 11 ||
	    memcmp(at + sizeof key - 1, run.prefix, prefix) != 0)
		fail("connection %u: not one of our jobs: %.*s", w->id,
		    (int)r->len, r->text);
	n = strtoull(at + taken, NULL, 10);
	if (n >= run.pushed)
		fail("job %llu was never pushed", n);
	if (run.seen[n / 8] & (1U << n % 8))
		fail("job %llu came twice", n);
	run.seen[n / 8] |= (unsigned char)(1U << n % 8);
	run.fetched++;
	return n;
}

static void
ack(struct conn *c, const struct reply *r)
{
	unsigned long long n = check_job(&c->wire, r);

	c->step = ACKING;
	wire_ask(&c->wire, "ACK {\"jid\":\"%s%010llu\"}", run.prefix, n);
}

/* Up to `jobs` more of what the run may push; 0 when it is over. */
static uint64_t
claim(uint64_t jobs)
{
	uint64_t left = opt.ops - run.claimed;

	if (now() >= run.deadline)
		return 0;
	if (jobs > left)
		jobs = left;
	run.claimed += jobs;
	return jobs;
}

static void
retire(struct conn *c)
{
	c->step = IDLE;
	run.active--;
}

/* ---- Modes ---- */

/* cycle and latency begin alike. */
static void
start_push(struct conn *c)
{
	if (claim(1) == 0)
		retire(c);
	else
		push(c, opt.queue);
}

static void
cycle_reply(struct conn *c, const struct reply *r)
{
	switch (c->step) {
	case PUSHING:
		wire_expect_ok(&c->wire, r);
		fetch(c, opt.queue);
		break;
	case FETCHING:
		ack(c, r);
		break;
	default:
		wire_expect_ok(&c->wire, r);
		run.acked++;
		sample(now() - c->began);
		start_push(c);
	}
}

static void
latency_reply(struct conn *c, const struct reply *r)
{
	wire_expect_ok(&c->wire, r);
	sample(now() - c->began);
	start_push(c);
}

static void
pushb_start(struct conn *c)
{
	static const char verb[] = "PUSHB [";
	uint64_t jobs = claim(BATCH_JOBS);
	size_t n = sizeof verb - 1;

	if (jobs == 0) {
		retire(c);
		return;
	}
	memcpy(c->wire.out, verb, n);
	for (uint64_t i = 0; i < jobs; i++) {
		write_job(c->wire.out + n, opt.queue);
		n += JOB_BYTES;
		c->wire.out[n++] = i + 1 < jobs ? ',' : ']';
	}
	memcpy(c->wire.out + n, "\r\n", 2);
	c->began = now();
	wire_send(&c->wire, n + 2);
}

static void
pushb_reply(struct conn *c, const struct reply *r)
{
	wire_expect_bulk(&c->wire, r);
	if (r->len != 2 || memcmp(r->text, "{}", 2) != 0)
		fail("PUSHB refused: %.*s", (int)r->len, r->text);
	sample(now() - c->began);
	pushb_start(c);
}

static void
wake_queue(char *name, size_t size, const struct conn *waiter)
{
	snprintf(name, size, "%s-%u", opt.queue, waiter->wire.id);
}

/* Even connections wait for a job, the odd one beside each pushes it. */
static void
wake_start(struct conn *c)
{
	char queue[64];

	if (c->wire.id % 2 == 1)
		return;
	if (claim(1) == 0) {
		retire(c);
		retire(c->peer);
		return;
	}
	wake_queue(queue, sizeof queue, c);
	fetch(c, queue);
	c->peer->due = now() + WAKE_PAUSE_NS;
}

static void
wake_reply(struct conn *c, const struct reply *r)
{
	if (c->step == FETCHING) {
		sample(now() - c->peer->began);
		ack(c, r);
		return;
	}
	wire_expect_ok(&c->wire, r);
	if (c->step == ACKING)
		run.acked++;
	c->step = IDLE;
	if (c->peer->step == IDLE)
		wake_start(c->wire.id % 2 == 0 ? c : c->peer);
}

/* Pushes what is due; returns how long epoll may sleep before the next. */
static int
wake_due(void)
{
	int sleep_ms = WIRE_SILENCE_MS;
	char queue[64];

	for (unsigned i = 1; i < run.sockets; i += 2) {
		struct conn *c = &run.conns[i];

		if (c->due == 0)
			continue;
		if (now() < c->due) {
			sleep_ms = 1;
			continue;
		}
		c->due = 0;
		wake_queue(queue, sizeof queue, c->peer);
		push(c, queue);
	}
	return sleep_ms;
}

static const struct mode modes[] = {
	{ "cycle", 1, LINE_BYTES, true, start_push, cycle_reply },
	{ "pushb", 1, BATCH_BYTES, false, pushb_start, pushb_reply },
	{ "latency", 1, LINE_BYTES, false, start_push, latency_reply },
	{ "wake", 2, LINE_BYTES, true, wake_start, wake_reply },
};

static void
dial_all(void)
{
	unsigned char salt[4];
	char wid[32];

	if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt)
		fail("getrandom: %s", strerror(errno));
	snprintf(run.prefix, sizeof run.prefix, "b%02x%02x%02x%02x-", salt[0],
	    salt[1], salt[2], salt[3]);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run.epoll < 0)
		fail("epoll_create1: %s", strerror(errno));
	run.sockets = (unsigned)opt.connections * opt.mode->sockets_each;
	run.active = run.sockets;
	run.conns = must(calloc(run.sockets, sizeof *run.conns));
	run.seen = must(calloc(opt.ops / 8 + 1, 1));
	for (unsigned i = 0; i < run.sockets; i++) {
		struct conn *c = &run.conns[i];

		c->wire.id = i;
		c->peer = &run.conns[i ^ 1U];
		snprintf(wid, sizeof wid, "%s%u", run.prefix, i);
		wire_dial(&c->wire, run.epoll, (unsigned)opt.port, wid,
		    opt.mode->request_max);
	}
}

static void
turn_until_done(void)
{
	struct epoll_event events[128];
	struct reply r;

	for (unsigned i = 0; i < run.sockets; i++)
		opt.mode->start(&run.conns[i]);
	while (run.active > 0) {
		int patience = wake_due();
		int n = epoll_wait(run.epoll, events, 128, patience);

		if (n < 0 && errno != EINTR)
			fail("epoll_wait: %s", strerror(errno));
		if (n == 0 && patience == WIRE_SILENCE_MS)
			fail("no reply for %d s", WIRE_SILENCE_MS / 1000);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (wire_event(&c->wire, events[i].events, &r))
				opt.mode->reply(c, &r);
		}
	}
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
percentile_ms(unsigned percent)
{
	if (run.nsamples == 0)
		return 0;
	return run.samples[(run.nsamples - 1) * percent / 100] / 1e6;
}

static void
report(double seconds)
{
	unsigned long long back = opt.mode->fetches ? run.pushed : 0;

	if (run.pushed != run.claimed || run.fetched != back ||
	    run.acked != back)
		fail("%llu begun, %llu pushed, %llu fetched, %llu acknowledged",
		    run.claimed, run.pushed, run.fetched, run.acked);
	qsort(run.samples, run.nsamples, sizeof *run.samples, by_size);
	printf("{\"mode\":\"%s\",\"connections\":%u,\"ops\":%llu,"
	       "\"seconds\":%.3f,\"rate\":%.1f,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
	    opt.mode->name, (unsigned)opt.connections, run.pushed, seconds,
	    (double)run.pushed / seconds, percentile_ms(50), percentile_ms(99));
}

/* ---- The command line: `name value` pairs ---- */

static void
set_mode(const char *name)
{
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(modes[i].name, name) == 0)
			opt.mode = &modes[i];
	if (opt.mode == NULL)
		fail("--mode %s: cycle, pushb, latency or wake", name);
}

static void
set_number(const char *name, const char *value)
{
	static const struct {
		const char *name;
		uint64_t *to;
		uint64_t max;
	} rows[] = {
		{ "--port", &opt.port, 65535 },
		{ "--connections", &opt.connections, MAX_CONNS },
		{ "--seconds", &opt.seconds, MAX_SECONDS },
		{ "--ops", &opt.ops, MAX_OPS },
	};
	size_t i = 0;
	char *end;

	while (i < sizeof rows / sizeof rows[0] && strcmp(rows[i].name, name))
		i++;
	if (i == sizeof rows / sizeof rows[0])
		fail("no option is called %s", name);
	*rows[i].to = strtoull(value, &end, 10);
	if (*value < '1' || *value > '9' || *end != '\0' ||
	    *rows[i].to > rows[i].max)
		fail("%s %s: a whole number in 1..%llu is expected", name,
		    value, (unsigned long long)rows[i].max);
}

static void
parse(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--mode") == 0)
			set_mode(argv[i + 1]);
		else if (strcmp(argv[i], "--queue") == 0)
			opt.queue = argv[i + 1];
		else if (strcmp(argv[i], "--jobtype") == 0)
			opt.jobtype = argv[i + 1];
		else
			set_number(argv[i], argv[i + 1]);
	}
	if (opt.mode == NULL || opt.port == 0 || argc % 2 == 0)
		fail("usage: load --mode MODE --port N [--connections N] "
		     "[--seconds N] [--ops N] [--queue Q] [--jobtype T]");
}

int
main(int argc, char **argv)
{
	parse(argc, argv);
	dial_all();

	uint64_t began = now();
	run.deadline = began + opt.seconds * 1000000000U;
	turn_until_done();
	report((double)(now() - began) / 1e9);
	for (unsigned i = 0; i < run.sockets; i++)
		wire_close(&run.conns[i].wire);
	close(run.epoll);
	free(run.conns);
	free(run.seen);
	free(run.samples);
	return 0;
}
