/*
 * output_name - what the file with a dispatch's output is called.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output_name.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_MAX = 64, JID_MAX = 96, DISPATCH_MAX = 64 };

static const char suffix[] = ".log";

/* No name begins with a '-', which programs take for an option. */
static bool
is_plain(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || (c == '-' && !first);
}

/* Writes text, escaped, at most max bytes of it, from `at` on; where it ends. */
static size_t
put(char out[OUTPUT_NAME_BYTES], size_t at, const char *text, size_t max)
{
	size_t end = at + max;

	for (; *text != '\0'; text++) {
		size_t need = is_plain(*text, at == 0) ? 1 : 3;

		if (at + need > end)
			break;
		if (need == 1)
			out[at] = *text;
		else
			(void)snprintf(out + at, OUTPUT_NAME_BYTES - at,
			    "%%%02X", (unsigned char)*text);
		at += need;
	}
	return at;
}

static size_t
put_prefix(char out[OUTPUT_NAME_BYTES], const char *jobtype)
{
	size_t at = put(out, 0, jobtype, TYPE_MAX);

	out[at++] = '.';
	out[at] = '\0';
	return at;
}

void
output_name_prefix(char out[OUTPUT_NAME_BYTES], const char *jobtype)
{
	(void)put_prefix(out, jobtype);
}

void
output_name(char out[OUTPUT_NAME_BYTES], const char *jobtype, const char *jid,
    const char *dispatch)
{
	size_t at = put_prefix(out, jobtype);

	at = put(out, at, jid, JID_MAX);
	out[at++] = '.';
	at = put(out, at, dispatch, DISPATCH_MAX);
	memcpy(out + at, suffix, sizeof suffix);
}

bool
output_name_is(const char *name, const char *prefix)
{
	size_t len = strlen(name), front = strlen(prefix);

	return len > front + sizeof suffix - 1 &&
	    memcmp(name, prefix, front) == 0 &&
	    strcmp(name + len - (sizeof suffix - 1), suffix) == 0;
}
