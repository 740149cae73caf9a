/*
 * fuzz_resp - replies mean the same however the network cuts them up, and
 * any bytes that we put into a reply come out of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/resp.h"
#include "tests/fuzz/must.h"

enum { MAX_BULK = 1 << 16 };

static void
prefixes_agree(const char *bytes, size_t size)
{
	struct resp whole, part;

	enum resp_status end = resp_decode(bytes, size, MAX_BULK, &whole);
	if (end == RESP_OK) {
		must(whole.size <= size && whole.len < whole.size);
		must(whole.len <= MAX_BULK || whole.kind != RESP_BULK);
	}

	/* Every prefix either waits for more or already gives the answer. */
	for (size_t n = 0; n < size; n++) {
		enum resp_status r = resp_decode(bytes, n, MAX_BULK, &part);

		if (r == RESP_MORE)
			continue;
		must(r == end);
		if (r == RESP_OK)
			must(part.size == whole.size &&
			    part.kind == whole.kind && part.len == whole.len &&
			    part.text == whole.text);
		break;
	}
}

static void
bulk_comes_back(const char *bytes, size_t size)
{
	struct buf *b = buf_new(size + 100);
	struct resp r;

	must(b != NULL);
	must(resp_put_bulk(b, bytes, size) == 0);
	must(resp_decode(buf_front(b), buf_len(b), size, &r) == RESP_OK);
	must(r.kind == RESP_BULK && r.len == size && r.size == buf_len(b));
	must(memcmp(r.text, bytes, size) == 0);
	buf_free(b);
}

/* However hostile the text, it is one line: exactly one reply. */
static void
words_are_one_reply(const char *bytes, size_t size)
{
	struct buf *b = buf_new(RESP_LINE_MAX);
	char *text = malloc(size + 1);
	struct resp r;

	must(b != NULL && text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	must(resp_put_error(b, "ERR", text) == 0);
	must(resp_decode(buf_front(b), buf_len(b), 0, &r) == RESP_OK);
	must(r.kind == RESP_ERROR && r.size == buf_len(b));
	buf_clear(b);
	must(resp_put_simple(b, text) == 0);
	must(resp_decode(buf_front(b), buf_len(b), 0, &r) == RESP_OK);
	must(r.kind == RESP_SIMPLE && r.size == buf_len(b));
	free(text);
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	prefixes_agree(bytes, size);
	bulk_comes_back(bytes, size);
	words_are_one_reply(bytes, size);
	return 0;
}
