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

/* As many strings as it says, all within it, together below the ceiling. */
static void
array_is_walked(const struct resp *r)
{
	size_t at = 0, len, all = 0;
	int64_t n = 0;
	const char *text;

	for (; resp_next(r, &at, &text, &len); n++) {
		must(text >= r->text && text + len <= r->text + r->len);
		all += len;
	}
	must(n == r->number && n > 0 && n <= RESP_ARRAY_MAX);
	must(at == r->len && all <= MAX_BULK);
}

static void
prefixes_agree(const char *bytes, size_t size)
{
	struct resp whole, part;

	enum resp_status end = resp_decode(bytes, size, MAX_BULK, &whole);
	if (end == RESP_OK) {
		must(whole.size <= size && whole.len < whole.size);
		must(whole.len <= MAX_BULK || whole.kind != RESP_BULK);
		if (whole.kind == RESP_ARRAY)
			array_is_walked(&whole);
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

/* The bytes in pieces: those come out again, in order, and nothing else. */
static void
array_comes_back(const char *bytes, size_t size)
{
	size_t n = size % 5 + 1, at = 0, len;
	struct buf *b = buf_new(size + 200);
	const char *text;
	struct resp r;

	must(b != NULL);
	must(resp_put_array(b, n) == 0);
	for (size_t i = 0; i < n; i++) {
		size_t from = size * i / n, to = size * (i + 1) / n;

		must(resp_put_bulk(b, bytes + from, to - from) == 0);
	}
	must(resp_decode(buf_front(b), buf_len(b), size, &r) == RESP_OK);
	must(r.kind == RESP_ARRAY && r.size == buf_len(b));
	for (size_t i = 0; i < n; i++) {
		size_t from = size * i / n, to = size * (i + 1) / n;

		must(resp_next(&r, &at, &text, &len));
		must(len == to - from && memcmp(text, bytes + from, len) == 0);
	}
	must(!resp_next(&r, &at, &text, &len));
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
	array_comes_back(bytes, size);
	words_are_one_reply(bytes, size);
	return 0;
}
