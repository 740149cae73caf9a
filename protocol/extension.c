/*
 * extension - what a server offers beyond a stock one, by the names in its HI.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/extension.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned flag;
} known[] = {
	{ "release", EXTENSION_RELEASE },
	{ "cancel", EXTENSION_CANCEL },
	{ "fail-retry", EXTENSION_FAIL_RETRY },
	{ "result", EXTENSION_RESULT },
	{ "fetchb", EXTENSION_FETCHB },
	{ "held", EXTENSION_HELD },
};

enum { NKNOWN = sizeof known / sizeof known[0] };

unsigned
extension_read(const struct json *names)
{
	struct json_walk w = json_walk(names);
	struct json name;
	unsigned flags = 0;

	if (names->kind != JSON_ARRAY)
		return 0;
	while (json_next_element(&w, &name))
		for (size_t i = 0; i < NKNOWN; i++)
			if (json_string_is(
				&name, known[i].name, strlen(known[i].name)))
				flags |= known[i].flag;
	return flags;
}

int
extension_put(struct buf *out, unsigned flags)
{
	const char *before = "[";
	size_t start = buf_len(out);
	int r = 0;

	for (size_t i = 0; i < NKNOWN && r == 0; i++) {
		if ((flags & known[i].flag) == 0)
			continue;
		r = buf_printf(out, "%s\"%s\"", before, known[i].name);
		before = ",";
	}
	if (r == 0)
		r = buf_puts(out, *before == '[' ? "[]" : "]");
	if (r < 0)
		buf_cut(out, start);
	return r;
}
