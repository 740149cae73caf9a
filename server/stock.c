/*
 * stock - what a stock Faktory server would have read, and what to write here.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/stock.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORD_MAX = 80 };

static const struct {
	const char *name, *instead;
} variables[] = {
	{ "FAKTORY_ENV",
	    "there are no environments; without a password listen and "
	    "web.listen should be on loopback" },
	{ "FAKTORY_SKIP_PASSWORD",
	    "no password is asked for unless one is set" },
	{ "FAKTORY2_PREVIEW", "there is nothing to switch on" },
	{ "REDIS_URL", "jobs are kept in the directory data" },
	{ "REDIS_PROVIDER", "jobs are kept in the directory data" },
	{ "DD_DOGSTATSD_URL", "numbers are at /metrics of web.listen" },
};

static const struct {
	const char *table, *key; /* key NULL: all */
	const char *instead;
} lines[] = {
	{ "faktory", "binding", "write listen: HOST:PORT" },
	{ "faktory", "password",
	    "write password: {file: PATH}, or set FAKTORY_PASSWORD" },
	{ "web", "binding", "write web: {listen: HOST:PORT}" },
	{ "web", "password", "write web: {password: {file: PATH}}" },
	{ "cron", NULL, "this server has no cron yet" },
	{ "throttles", NULL, "this server has no throttles yet" },
	{ "statsd", NULL, "numbers are at /metrics of web.listen" },
	{ "redis", NULL, "jobs are kept in the directory data" },
	{ NULL, NULL, "nothing here corresponds to it" },
};

static const struct {
	char letter;
	const char *instead;
} flags[] = {
	{ 'b', "--listen HOST:PORT" },
	{ 'w', "--web HOST:PORT" },
	{ 'd', "--data DIR" },
	{ 'e', "nothing: there are no environments" },
	{ 'l', "log: {level: LEVEL} in the configuration" },
	{ 'v', "--version" },
};

static void __attribute__((format(printf, 3, 4)))
say(stock_tell *tell, void *ctx, const char *fmt, ...)
{
	char text[STOCK_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	tell(ctx, text);
}

/* ---- files ------------------------------------------------------------------ */

/* The first word of a line, in lower case letters, digits, '_' and '-'. */
static size_t
word(const char *at, const char *end, char out[WORD_MAX])
{
	size_t n = 0;

	while (at + n < end && n + 1 < WORD_MAX &&
	    ((at[n] >= 'a' && at[n] <= 'z') || (at[n] >= 'A' && at[n] <= 'Z') ||
		(at[n] >= '0' && at[n] <= '9') || at[n] == '_' || at[n] == '-'))
		n++;
	memcpy(out, at, n);
	out[n] = '\0';
	return n;
}

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

static const char *
instead_of(const char *table, const char *key)
{
	size_t i = 0;

	while (lines[i].table != NULL &&
	    (strcmp(lines[i].table, table) != 0 ||
		(lines[i].key != NULL && strcmp(lines[i].key, key) != 0)))
		i++;
	return lines[i].instead;
}

void
stock_read(
    const char *name, const char *text, size_t len, stock_tell *tell, void *ctx)
{
	const char *end = text + len, *next;
	char table[WORD_MAX] = "", key[WORD_MAX];
	unsigned line = 1;
	int told = 0;

	for (; text < end && told < STOCK_LINES_MAX; text = next, line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		next = stop != NULL ? stop + 1 : end;
		stop = stop != NULL ? stop : end;
		const char *at = skip_blanks(text, stop);
		if (at < stop && *at == '[') {
			while (at < stop && *at == '[')
				at = skip_blanks(at + 1, stop);
			(void)word(at, stop, table);
			continue;
		}
		size_t n = word(at, stop, key);
		at = skip_blanks(at + n, stop);
		if (n == 0 || at == stop || *at != '=')
			continue;
		told++;
		say(tell, ctx, "%s:%u: %s%s%s is not read: %s", name, line,
		    table, table[0] != '\0' ? "." : "", key,
		    instead_of(table, key));
	}
}

static void
read_file(const char *name, stock_tell *tell, void *ctx)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (text = malloc(STOCK_FILE_MAX)) != NULL)
		n = read(fd, text, STOCK_FILE_MAX);
	if (n >= 0)
		stock_read(name, text, (size_t)n, tell, ctx);
	else
		say(tell, ctx, "%s is not read", name);
	free(text);
	if (fd >= 0)
		close(fd);
}

static int
is_toml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 5, ".toml") == 0;
}

static void
look_below(const char *dir, stock_tell *tell, void *ctx)
{
	char path[PATH_MAX];
	struct dirent **found;
	int n;

	snprintf(path, sizeof path, "%s/conf.d", dir);
	n = scandir(path, &found, is_toml, alphasort);
	for (int i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof path, "%s/conf.d/%s", dir,
			found[i]->d_name) < sizeof path)
			read_file(path, tell, ctx);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	snprintf(path, sizeof path, "%s/password", dir);
	if (access(path, F_OK) == 0)
		say(tell, ctx, "%s is not read: write password: {file: %s}",
		    path, path);
}

/* ---- all of it ------------------------------------------------------------------ */

void
stock_look(const char *(*lookup)(const char *name), stock_tell *tell, void *ctx)
{
	const char *password = lookup("FAKTORY_PASSWORD");
	const char *home = lookup("HOME");
	char dir[PATH_MAX];

	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		if (lookup(variables[i].name) != NULL)
			say(tell, ctx, "%s is not read: %s", variables[i].name,
			    variables[i].instead);
	if (password != NULL && password[0] == '/')
		say(tell, ctx,
		    "FAKTORY_PASSWORD begins with /: here it is the password, "
		    "not the name of a file; write password: {file: PATH}");
	look_below("/etc/faktory", tell, ctx);
	if (home != NULL && home[0] == '/' &&
	    (size_t)snprintf(dir, sizeof dir, "%s/.faktory", home) <
		sizeof dir - 64)
		look_below(dir, tell, ctx);
}

const char *
stock_flag(int letter)
{
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (flags[i].letter == letter)
			return flags[i].instead;
	return NULL;
}
