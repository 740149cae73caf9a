/*
 * spawn_child - a program to be spawned, and what comes of it.
 *
 * For the tests of handlers/spawn and in_child.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_SPAWN_CHILD_H
#define TESTS_UNIT_SPAWN_CHILD_H

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "handlers/spawn.h"

static char *const no_env[] = { NULL };

/* argv from literals, ended by NULL; good until the next call. */
static inline char *const *
words(const char *first, ...)
{
	static char store[8][512];
	static char *argv[9];
	size_t n = 0;
	va_list more;

	va_start(more, first);
	for (const char *w = first; w != NULL; w = va_arg(more, const char *)) {
		snprintf(store[n], sizeof store[n], "%s", w);
		argv[n] = store[n];
		n++;
	}
	va_end(more);
	argv[n] = NULL;
	return argv;
}

static inline struct spawn_request
program(const char *path, char *const *argv)
{
	return (struct spawn_request){ .path = path,
		.argv = argv,
		.env = no_env,
		.workdir = "/",
		.mask = 022 };
}

/* Reads a non-blocking descriptor to its end and closes it. */
static inline void
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		poll(&p, 1, -1);
		ssize_t n = read(fd, text + len, size - 1 - len);
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		else
			assert_true(errno == EAGAIN || errno == EINTR);
	}
	text[len] = '\0';
	close(fd);
}

/* Collects both outputs, then reaps. Returns the wait status. */
static inline int
finish(struct spawn_child *c, char *out, char *err, size_t size)
{
	int status;

	if (c->in >= 0)
		close(c->in);
	read_all(c->out, out, size);
	read_all(c->err, err, size);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	close(c->pidfd);
	return status;
}

/* What a shell script prints when it is started by a request. */
static inline void
run_script(const char *script, char *out, size_t size)
{
	char err[4096];
	struct spawn_child c;
	struct spawn_failure why;
	struct spawn_request req =
	    program("/bin/sh", words("sh", "-c", script, NULL));

	assert_int_equal(spawn(&req, &c, &why), 0);
	int status =
	    finish(&c, out, err, size < sizeof err ? size : sizeof err);
	assert_string_equal(err, "");
	assert_int_equal(status, 0);
}

/*
 * Valgrind 3.19 stops with an assertion of its own when a clone fails, and
 * cannot return to the program from an execve that fails late.
 */
static inline bool
under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

#endif
