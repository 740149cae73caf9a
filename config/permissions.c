/*
 * permissions - octal digits, as chmod(1) and umask(1) take them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/permissions.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void
permissions_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	const char *expected = "octal digits such as 022";
	char *text = reader_text(r, n, name, expected);
	char quoted[READER_QUOTED_MAX];

	if (text == NULL)
		return;
	size_t len = strlen(text);
	if (len > 0 && len <= 4 && strspn(text, "01234567") == len &&
	    strtol(text, NULL, 8) <= 0777)
		*(int64_t *)to = strtol(text, NULL, 8);
	else
		reader_complain(r, n->at,
		    "%s: %s cannot be permissions, expected %s", name,
		    reader_quote(text, quoted), expected);
	free(text);
}
