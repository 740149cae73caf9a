/*
 * env_name - which variables a handler may be given, and from where.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/env_name.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* A star at the end stands for any rest. */
struct pattern {
	const char *text;
	const char *why;
};

/* The first that fits gives the reason. */
static const struct pattern refused[] = {
	{ "FAKTORY_URL", "may hold the server's password" },
	{ "FAKTORY_PROVIDER", "names where the server's password may be" },
	{ "FAKTORY_PASSWORD", "holds the server's password" },
	{ "FAKTORY_*", "begins with FAKTORY_, which is set for each job" },
	{ "CREDENTIALS_DIRECTORY", "names where the server's password may be" },
	{ "NOTIFY_SOCKET", "belongs to the supervisor alone" },
	{ "WATCHDOG_*", "belongs to the supervisor alone" },
	{ "LISTEN_*", "belongs to the supervisor alone" },
	{ NULL, NULL },
};

static const struct pattern steering[] = {
	{ "LD_*", "" },
	{ "PATH", "" },
	{ "IFS", "" },
	{ "BASH_ENV", "" },
	{ "ENV", "" },
	{ "BASH_FUNC_*", "" },
	{ "PYTHON*", "" },
	{ "PERL5*", "" },
	{ "RUBY*", "" },
	{ "NODE_OPTIONS", "" },
	{ "GCONV_PATH", "" },
	{ "HTTP_PROXY", "" },
	{ NULL, NULL },
};

static const char *
match(const struct pattern *p, const char *name)
{
	for (; p->text != NULL; p++) {
		size_t len = strlen(p->text);

		if (p->text[len - 1] == '*'
			? strncmp(p->text, name, len - 1) == 0
			: strcmp(p->text, name) == 0)
			return p->why;
	}
	return NULL;
}

bool
env_name_is_valid(const char *name)
{
	if (*name == '\0' || isdigit((unsigned char)*name))
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

const char *
env_name_refused(const char *name)
{
	return match(refused, name);
}

bool
env_name_is_steering(const char *name)
{
	return match(steering, name) != NULL;
}
