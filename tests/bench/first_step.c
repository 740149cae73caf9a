/*
 * first_step - how long until a program's first instruction.
 *
 *   first_step stamp FIFO               writes the time, and which job it is
 *                                       for, into FIFO: the program
 *   first_step bare COUNT FIFO          from vfork(2) to its main()
 *   first_step push COUNT FIFO PORT     from PUSH to its main(), by a worker
 *                                       that has it as handler for `bench`
 *
 * One after the other, with a pause between them, so that whoever waits for
 * work is waiting again. One JSON object on stdout.
 *
 * SPDX-License-Identifier: ISC
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/wire.h"

enum { COUNT_MAX = 100000, PAUSE_NS = 5000000, OUT_MAX = 4096 };

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* What the program says of itself. */
struct stamp {
	int64_t at;
	int64_t job; /* the number at the end of its jid; NO_JOB without one */
};

enum { NO_JOB = -1 };

static int
stamp(const char *fifo)
{
	struct stamp s = { now(), NO_JOB };
	const char *jid = getenv("FAKTORY_JID");
	const char *number = jid != NULL ? strrchr(jid, '-') : NULL;
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	if (number != NULL)
		s.job = atoi(number + 1);
	return fd < 0 || write(fd, &s, sizeof s) != sizeof s;
}

/*
 * When the program began that was started for this job, which is the only one
 * that may have begun: what was left by another would be a short time.
 */
static int64_t
read_stamp(int fd, int64_t job)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct stamp s;

	if (poll(&p, 1, WIRE_SILENCE_MS) != 1 ||
	    read(fd, &s, sizeof s) != sizeof s)
		fail("the program for job %lld did not begin within %d s",
		    (long long)job, WIRE_SILENCE_MS / 1000);
	if (s.job != job)
		fail("the program for job %lld began when job %lld was due",
		    (long long)s.job, (long long)job);
	return s.at;
}

static int64_t
spawn_one(char *self, char *fifo, int fd)
{
	char word[] = "stamp";
	char *const argv[] = { self, word, fifo, NULL };
	char *const envp[] = { NULL };
	int64_t began = now();
	pid_t pid = vfork();

	if (pid == 0) {
		execve(self, argv, envp);
		_exit(127);
	}
	int64_t at = read_stamp(fd, NO_JOB);
	waitpid(pid, NULL, 0);
	return at - began;
}

static int64_t
push_one(struct wire *w, int epoll, int fd, int number)
{
	struct epoll_event ev;
	struct reply r;
	int64_t began = now();

	wire_ask(w,
	    "PUSH {\"jid\":\"first-step-%d-%d\",\"jobtype\":\"bench\","
	    "\"queue\":\"bench\",\"args\":[]}",
	    (int)getpid(), number);
	do {
		if (epoll_wait(epoll, &ev, 1, WIRE_SILENCE_MS) != 1)
			fail("no reply to PUSH");
	} while (!wire_event(w, ev.events, &r));
	wire_expect_ok(w, &r);
	return read_stamp(fd, number) - began;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
show(int64_t *took, int n)
{
	qsort(took, (size_t)n, sizeof *took, compare);
	printf("{\"ops\":%d,\"p50_ms\":%.4f,\"p99_ms\":%.4f}\n", n,
	    (double)took[n / 2] / 1e6, (double)took[n * 99 / 100] / 1e6);
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: first_step stamp FIFO | bare COUNT FIFO | push COUNT FIFO "
	    "PORT\n");
	return 2;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "stamp") == 0)
		return stamp(argv[2]);

	bool push = argc == 5 && strcmp(argv[1], "push") == 0;
	int n = argc >= 4 ? atoi(argv[2]) : 0;
	if ((!push && (argc != 4 || strcmp(argv[1], "bare") != 0)) || n < 1 ||
	    n > COUNT_MAX)
		return usage();

	/* For reading and writing: so it never ends between two programs. */
	int fd = open(argv[3], O_RDWR | O_CLOEXEC);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int64_t *took = must(calloc((size_t)n, sizeof *took));
	struct wire w;
	if (fd < 0 || epoll < 0)
		fail("%s cannot be opened", argv[3]);
	if (push)
		wire_dial(
		    &w, epoll, (unsigned)atoi(argv[4]), "first-step", OUT_MAX);
	for (int i = 0; i < n; i++) {
		nanosleep(&(struct timespec){ 0, PAUSE_NS }, NULL);
		took[i] = push ? push_one(&w, epoll, fd, i)
			       : spawn_one(argv[0], argv[3], fd);
	}
	if (push)
		wire_close(&w);
	show(took, n);
	free(took);
	return 0;
}
