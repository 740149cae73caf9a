/*
 * fuzz_notice - every byte of a notice belongs to one command, and leaving out
 * a result leaves a command that says the rest.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "supervisor/notice.h"
#include "tests/fuzz/must.h"

/* The argument of a command with its line end, when it is JSON. */
static int
argument(const char *line, size_t len, struct json *value)
{
	const char *space = memchr(line, ' ', len);

	if (space == NULL)
		return 0;
	size_t front = (size_t)(space - line) + 1;
	return json_check(line + front, len - front, value, NULL) == 0;
}

static void
check_plain(const char *lines, size_t len)
{
	struct buf *plain = buf_new(len + 1);
	size_t first = notice_first(lines, len);
	struct json before, after;

	must(plain != NULL);
	must(notice_put_plain(plain, lines, len) == 0);
	must(buf_len(plain) <= first);
	if (buf_len(plain) < first) {
		must(argument(lines, first, &before));
		must(argument(buf_front(plain), buf_len(plain), &after));
		must(json_count(&after) + 1 == json_count(&before));
	}
	buf_free(plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	const char *lines = copy;

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	for (size_t len = size; len > 0;) {
		size_t first = notice_first(lines, len);

		must(first > 0 && first <= len);
		for (unsigned extensions = 0; extensions < 16; extensions++) {
			size_t skip = notice_skip(lines, len, extensions);
			size_t over = notice_over(lines, len, extensions);

			/* Something is left to be sent, and something done. */
			must(skip == 0 || (skip == first && skip < len));
			must(over == first || over == len);
		}
		check_plain(lines, len);
		must(notice_verb_name(notice_verb(lines, len)) != NULL);
		lines += first;
		len -= first;
	}
	free(copy);
	return 0;
}
