/*
 * fuzz_http_request - the answer is the same however the network cuts the
 * request up, and a path is clean and lies within the bytes.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "supervisor/http_request.h"
#include "tests/fuzz/must.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct http_request whole, part;
	int end = http_request_read(bytes, size, &whole);

	must(end == 0 || end == 200 || end == 400 || end == 405 || end == 431);
	if (end == 200) {
		must(whole.path >= bytes && whole.path_len > 0);
		must(whole.path + whole.path_len <= bytes + size);
		must(whole.path[0] == '/');
		must(memchr(whole.path, '?', whole.path_len) == NULL);
	}
	for (size_t n = 0; n < size; n++) {
		int r = http_request_read(bytes, n, &part);

		if (r == 0)
			continue;
		must(r == end);
		if (r == 200)
			must(part.path == whole.path &&
			    part.path_len == whole.path_len &&
			    part.head == whole.head);
		break;
	}
	return 0;
}
