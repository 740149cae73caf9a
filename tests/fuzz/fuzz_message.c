/*
 * fuzz_message - a message that was read says the same when it is written
 * again, on one line, and nothing outside the line was looked at.
 *
 * Exercises handlers/message.c. Seeds: tests/fuzz/corpus/message/.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "handlers/message.h"
#include "tests/fuzz/must.h"

static void
put(struct buf *b, const struct message *m)
{
	must(message_put(b, m) == 0);
	must(memchr(buf_front(b), '\n', buf_len(b)) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m, again;
	const char *why;
	/* An exact-size copy lets the sanitizer see one byte too far. */
	char *line = malloc(size > 0 ? size : 1);

	must(line != NULL);
	if (size > 0)
		memcpy(line, data, size);
	if (message_read(&m, line, size, &why) < 0) {
		must(why != NULL && *why != '\0');
		free(line);
		return 0;
	}
	struct buf *first = buf_new(6 * size + 200);
	struct buf *second = buf_new(6 * size + 200);
	must(first != NULL && second != NULL);
	put(first, &m);
	must(message_read(&again, buf_front(first), buf_len(first), &why) == 0);
	must(again.kind == m.kind);
	put(second, &again);
	must(buf_len(first) == buf_len(second));
	must(memcmp(buf_front(first), buf_front(second), buf_len(first)) == 0);
	buf_free(first);
	buf_free(second);
	free(line);
	return 0;
}
