/*
 * bare_loop - how fast this machine starts /bin/true and waits for it.
 *
 * The floor under every supervisor: vfork, exec, wait and nothing else, with
 * up to PARALLEL children at a time. One JSON object on stdout.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COUNT = 1000000, MAX_PARALLEL = 1000 };

static double
seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
start(char *const argv[], char *const envp[])
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(argv[0], argv, envp);
		_exit(127);
	}
	return pid < 0 ? -errno : 0;
}

static int
await(void)
{
	int status;

	if (wait(&status) < 0)
		return -errno;
	return status == 0 ? 0 : -ECHILD;
}

/* Returns 0, or what went wrong as a negative errno. */
static int
run(long count, long parallel)
{
	static char program[] = "/bin/true";
	char *const argv[] = { program, NULL };
	char *const envp[] = { NULL };
	long started = 0, done = 0;
	int r;

	while (done < count) {
		if (started < count && started - done < parallel) {
			r = start(argv, envp);
			started++;
		} else {
			r = await();
			done++;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Returns 0 unless text is a whole number in 1..max. */
static long
number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end != '\0' || n < 1 || n > max ? 0 : n;
}

int
main(int argc, char **argv)
{
	long count = argc > 1 ? number(argv[1], MAX_COUNT) : 2000;
	long parallel = argc > 2 ? number(argv[2], MAX_PARALLEL) : 1;
	double began = seconds_now(), took;
	int r;

	if (argc > 3 || count == 0 || parallel == 0) {
		fprintf(stderr, "usage: bare_loop [COUNT [PARALLEL]]\n");
		return 2;
	}
	r = run(count, parallel);
	took = seconds_now() - began;
	if (r < 0) {
		fprintf(stderr, "bare_loop: /bin/true: %s\n", strerror(-r));
		return 1;
	}
	printf(
	    "{\"ops\":%ld,\"parallel\":%ld,\"seconds\":%.3f,\"rate\":%.1f}\n",
	    count, parallel, took, (double)count / took);
	return 0;
}
