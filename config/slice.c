/*
 * slice - the name of a group of the service manager's units.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/slice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* systemd's limit for a unit's name, without the NUL. */
enum { NAME_MAX_BYTES = 255 };

/* A dash is a step down: none at the ends, and no two together. */
static bool
is_slice(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:_.\\-";
	static const char end[] = ".slice";
	size_t len = strlen(text), tail = sizeof end - 1;

	if (len <= tail || len > NAME_MAX_BYTES ||
	    strcmp(text + len - tail, end) != 0 || strspn(text, allowed) != len)
		return false;
	return text[0] != '-' && text[0] != '.' &&
	    text[len - tail - 1] != '-' && strstr(text, "--") == NULL;
}

void
slice_decode(struct reader *r, const struct node *n, const char *name, void *to)
{
	static const char expected[] = "a slice such as jobs.slice";
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);

	if (text == NULL)
		return;
	if (is_slice(text)) {
		field_set_text(to, text);
		return;
	}
	reader_complain(r, n->at, "%s: %s, expected %s", name,
	    reader_quote(text, quoted), expected);
	free(text);
}
