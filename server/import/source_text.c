/*
 * source_text - what is read without asking a Redis: a place on the command
 * line, and the list of clients.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/import/source.h"

#define EXPECTED                                                               \
	"expected a stock server's storage directory, its Redis's socket, or " \
	"HOST:PORT"

/* The socket at path, by a name that every working directory understands. */
static int
set_path(const char *path, struct source_place *at, struct err *e)
{
	struct stat st;
	char *whole = realpath(path, NULL);

	if (whole == NULL || stat(whole, &st) < 0) {
		int code = errno;

		free(whole);
		return err_set(e, code, "%s: %s%s", path, strerror(code),
		    code == ENOENT ? " (is its Redis running?)" : "");
	}
	bool is_socket = S_ISSOCK(st.st_mode);
	size_t n = strlen(whole);
	if (is_socket && n < sizeof at->path)
		memcpy(at->path, whole, n + 1);
	free(whole);
	return is_socket
	    ? 0
	    : err_set(e, EINVAL, "%s is no socket, " EXPECTED, path);
}

static int
set_address(const char *text, struct source_place *at, struct err *e)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;
	char *end;

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n == 0 || n > SOURCE_HOST_MAX || colon[1] < '0' || colon[1] > '9')
		return err_set(e, EINVAL, "%s: " EXPECTED, text);
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port == 0 || port > 65535)
		return err_set(
		    e, EINVAL, "%s: a port is a number from 1 to 65535", text);
	memcpy(at->host, text, n);
	at->host[n] = '\0';
	at->port = (unsigned)port;
	return 0;
}

int
source_find(const char *text, struct source_place *at, struct err *e)
{
	char below[PATH_MAX];
	struct stat st;

	*at = (struct source_place){ .port = 0 };
	if (strlen(text) > PATH_MAX - sizeof "/redis.sock")
		return err_set(e, ENAMETOOLONG, "the source is too long");
	if (stat(text, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(below, sizeof below, "%s/redis.sock", text);
		return set_path(below, at, e);
	}
	if (strchr(text, '/') != NULL || stat(text, &st) == 0)
		return set_path(text, at, e);
	return set_address(text, at, e);
}

/*
 * Each line begins with "id="; a name that a client gave itself has no line
 * end.
 */
int64_t
source_count_clients(const char *list, size_t len)
{
	int64_t lines = 0;

	for (const char *at = list, *end = list + len; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop != NULL ? stop : end) - at);

		if (n >= 3 && memcmp(at, "id=", 3) == 0)
			lines++;
		at = stop != NULL ? stop + 1 : end;
	}
	return lines;
}
