/*
 * unit - from a file, or from systemctl.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/unit.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/timespan.h"

enum { TEXT_MAX = 64 * 1024 };

/* DefaultTimeoutStopSec= of systemd as it is delivered. */
#define UNIT_DEFAULT (90 * CLOCK_NS_PER_S)

/* Whether line is "name=...", spaces around the sign allowed. */
static const char *
value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0)
		return NULL;
	line += len;
	line += strspn(line, " \t");
	return *line == '=' ? line + 1 : NULL;
}

static int
read_value(const char *name, const char *value, int64_t *ns, struct err *e)
{
	if (value[strspn(value, " \t\r")] == '\0') {
		*ns = UNIT_DEFAULT;
		return 0;
	}
	if (timespan_read(value, ns) < 0)
		return err_set(e, EINVAL,
		    "%s=%.100s is not a time, as in 90s or 1min 30s", name,
		    value);
	/* A zero turns the limit off. */
	if (*ns == 0)
		*ns = TIMESPAN_INFINITY;
	return 0;
}

int
unit_read_stop_timeout(const char *text, int64_t *ns, struct err *e)
{
	static const char *const names[] = { "TimeoutStopSec", "TimeoutSec" };
	char line[512];
	bool service = false;

	*ns = UNIT_DEFAULT;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		size_t front = strspn(text, " \t");

		if (front > len)
			front = len;
		snprintf(line, sizeof line, "%.*s", (int)(len - front),
		    text + front);
		text += len + (text[len] == '\n');
		if (line[0] == '[')
			service = strncmp(line, "[Service]", 9) == 0;
		for (size_t i = 0; service && i < 2; i++) {
			const char *value = value_of(line, names[i]);

			if (value != NULL &&
			    read_value(names[i], value, ns, e) < 0)
				return -e->code;
		}
	}
	return 0;
}

/* Reads fd to its end. Returns 0 or a negative errno. */
static int
read_all(int fd, char *out, size_t cap)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, out + len, cap - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		out[len] = '\0';
		if (n == 0)
			return 0;
		if (len == cap - 1)
			return -EFBIG;
	}
}

static int
from_file(const char *file, int64_t *ns, struct err *e)
{
	static char text[TEXT_MAX];
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "%s: %s", file, strerror(errno));
	int r = read_all(fd, text, sizeof text);
	close(fd);
	if (r < 0)
		return err_set(e, -r, "%s: %s", file, strerror(-r));
	if (unit_read_stop_timeout(text, ns, e) < 0)
		return err_wrap(e, "%s", file);
	return 0;
}

/* Its standard output; no shell. Returns 0, or negative with *e set. */
static int
ask_systemctl(const char *unit, char *out, size_t cap, struct err *e)
{
	char *argv[] = { (char[]){ "systemctl" }, (char[]){ "show" },
		(char[]){ "--property=LoadState,TimeoutStopUSec" },
		(char[]){ "--" }, strdup(unit), NULL };
	posix_spawn_file_actions_t actions;
	int pipefd[2], status = 0;
	pid_t pid;

	if (argv[4] == NULL || pipe2(pipefd, O_CLOEXEC) < 0) {
		free(argv[4]);
		return err_set(e, errno, "systemctl: %s", strerror(errno));
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipefd[1], STDOUT_FILENO);
	int r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipefd[1]);
	free(argv[4]);
	if (r != 0) {
		close(pipefd[0]);
		return err_set(e, r, "systemctl: %s", strerror(r));
	}
	r = read_all(pipefd[0], out, cap);
	close(pipefd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_set(e, -r, "systemctl: %s", strerror(-r));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, EIO,
		    "systemctl show %s failed; without a running systemd give "
		    "the path of the unit file",
		    unit);
	return 0;
}

static int
from_systemd(const char *unit, int64_t *ns, struct err *e)
{
	static char text[TEXT_MAX];

	if (ask_systemctl(unit, text, sizeof text, e) < 0)
		return -e->code;
	if (strstr(text, "LoadState=not-found") != NULL)
		return err_set(e, ENOENT, "%s: there is no such unit", unit);
	char *value = strstr(text, "TimeoutStopUSec=");
	if (value == NULL)
		return err_set(
		    e, EINVAL, "%s: systemctl tells no TimeoutStopUSec", unit);
	value += strlen("TimeoutStopUSec=");
	value[strcspn(value, "\n")] = '\0';
	if (read_value("TimeoutStopUSec", value, ns, e) < 0)
		return err_wrap(e, "%s", unit);
	return 0;
}

int
unit_stop_timeout(const char *unit, int64_t *ns, struct err *e)
{
	return strchr(unit, '/') != NULL ? from_file(unit, ns, e)
					 : from_systemd(unit, ns, e);
}
