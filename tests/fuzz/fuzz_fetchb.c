/*
 * fuzz_fetchb - what is read of a FETCHB lies within its line and within the
 * ceilings, and means the same when it is written again.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <string.h>

#include "protocol/fetchb.h"
#include "tests/fuzz/must.h"

static void
limit_is_read(const char *word, size_t size)
{
	size_t len = size;
	size_t limit = fetchb_read_limit(word, &len);

	must(len <= size && (size == 0 || memchr(word, ':', len) == NULL));
	must((len == size) == (limit == SIZE_MAX));
	must(limit <= FETCHB_JOBS_MAX || limit == SIZE_MAX);
}

static void
count_is_read(const char *bytes, size_t size)
{
	struct buf *b = buf_new(100);
	const char *rest = bytes, *again;
	size_t len = size, more;
	size_t count = fetchb_read_count(&rest, &len);

	must(b != NULL && count <= FETCHB_JOBS_MAX);
	must(rest + len == bytes + size);
	must(count > 0 ? rest > bytes && rest[-1] == ' ' : rest == bytes);
	if (count > 0) {
		must(fetchb_put_count(b, count) == 0);
		must(fetchb_put_queue(b, "q", count) == 0);
		again = (const char *)buf_front(b) + strlen("FETCHB ");
		more = buf_len(b) - strlen("FETCHB ");
		must(fetchb_read_count(&again, &more) == count);
		must(fetchb_read_limit(again, &more) == count && more == 1);
	}
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	limit_is_read((const char *)data, size);
	count_is_read((const char *)data, size);
	return 0;
}
