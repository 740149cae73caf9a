/*
 * fuzz_command - lines are the same however the network cuts them up, and
 * what we write is read back.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <string.h>

#include "protocol/command.h"
#include "tests/fuzz/must.h"

enum { MAX = 1000 };

static void
same(const struct command_line *a, const struct command_line *b)
{
	must(a->size == b->size);
	must(a->verb == b->verb && a->verb_len == b->verb_len);
	must(a->arg == b->arg && a->arg_len == b->arg_len);
}

/* Byte by byte, with the memory of what has been looked at. */
static void
pieces_agree(const char *bytes, size_t size)
{
	struct command_line whole, part;
	size_t fresh = 0, scanned = 0;

	enum command_status end =
	    command_decode(bytes, size, MAX, &fresh, &whole);
	if (end == COMMAND_OK) {
		must(fresh == 0 && whole.size <= size);
		must(memchr(bytes, '\n', whole.size) == bytes + whole.size - 1);
		must(memchr(whole.verb, ' ', whole.verb_len) == NULL);
	}
	for (size_t n = 0; n <= size; n++) {
		enum command_status r =
		    command_decode(bytes, n, MAX, &scanned, &part);

		if (r == COMMAND_MORE) {
			must(scanned == n && (n < size || end == r));
			continue;
		}
		must(r == end);
		if (r == COMMAND_OK)
			same(&part, &whole);
		break;
	}
}

static void
argument_comes_back(const char *bytes, size_t size)
{
	struct buf *b = buf_new(size + 100);
	struct command_line c;
	size_t scanned = 0;

	must(b != NULL);
	int r = command_put(b, "PUSH", bytes, size);
	if (memchr(bytes, '\n', size) != NULL ||
	    memchr(bytes, '\r', size) != NULL) {
		must(r == -EINVAL && buf_len(b) == 0);
	} else {
		must(r == 0);
		must(command_decode(buf_front(b), buf_len(b), size + 100,
			 &scanned, &c) == COMMAND_OK);
		must(command_is(&c, "PUSH") && c.size == buf_len(b));
		must(c.arg_len == size && memcmp(c.arg, bytes, size) == 0);
	}
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pieces_agree((const char *)data, size);
	argument_comes_back((const char *)data, size);
	return 0;
}
