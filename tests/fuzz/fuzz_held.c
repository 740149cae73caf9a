/*
 * fuzz_held - what is read of a HELD is within the ceilings, and says the same
 * jids when it is written again.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <string.h>

#include "protocol/command.h"
#include "protocol/held.h"
#include "protocol/job.h"
#include "tests/fuzz/must.h"

static void
says_the_same(struct held first, const char *line, size_t len)
{
	char one[JOB_JID_MAX], two[JOB_JID_MAX];
	struct command_line c;
	size_t scanned = 0;
	struct held second;
	ssize_t n;

	must(command_decode(line, len, 1 << 30, &scanned, &c) == COMMAND_OK);
	must(command_is(&c, "HELD") && c.size == len);
	must(held_read(c.arg, c.arg_len, &second, NULL) == 0);
	while ((n = held_next(&first, one)) >= 0) {
		must(held_next(&second, two) == n);
		must(memcmp(one, two, (size_t)n) == 0);
	}
	must(held_next(&second, two) < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf *line = buf_new(1 << 30);
	char jid[JOB_JID_MAX];
	struct err e = { 0 };
	struct held held, walked;
	size_t count = 0;
	ssize_t n;

	must(line != NULL);
	if (held_read((const char *)data, size, &held, &e) < 0) {
		must(e.code == EINVAL && e.text[0] != '\0');
		buf_free(line);
		return 0;
	}
	must(held_put_begin(line) == 0);
	walked = held;
	while ((n = held_next(&walked, jid)) >= 0) {
		must(n <= JOB_JID_MAX && ++count <= HELD_JIDS_MAX);
		must(held_put_jid(line, jid, (size_t)n) == 0);
	}
	must(held_put_end(line) == 0);
	says_the_same(held, buf_front(line), buf_len(line));
	buf_free(line);
	return 0;
}
