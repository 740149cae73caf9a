/*
 * fuzz_state - whatever is read from a state's values is what would be
 * written for them, byte by byte, and reading never goes beyond the end.
 *
 * Exercises base/state.c behind its checksum, which random bytes do not pass.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <string.h>

#include "base/state.h"
#include "tests/fuzz/must.h"

/* Reads one value of the kind that is there and writes it again. */
static void
copy_one(struct state_reader *r, struct state_writer *w)
{
	const char *bytes;
	size_t len;
	char *text;

	switch (*r->at) {
	case 'b':
		bytes = state_get_bytes(r, &len);
		if (bytes != NULL)
			state_put_bytes(w, bytes, len);
		break;
	case 't':
	case 'n':
		text = state_get_text(r);
		if (!r->failed)
			state_put_text(w, text);
		free(text);
		break;
	default:
		state_put_int(w, state_get_int(r));
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An exact-size copy lets the sanitizer see one byte too far. */
	char *bytes = malloc(size > 0 ? size : 1);
	struct state_reader r = { bytes, size, false };
	struct state_writer w;

	must(bytes != NULL && state_writer_init(&w, size + 64) == 0);
	memcpy(bytes, data, size);
	while (r.left > 0 && !r.failed) {
		size_t before = buf_len(w.out), left = r.left;

		copy_one(&r, &w);
		if (r.failed)
			break;
		must(!w.failed);
		must(buf_len(w.out) - before == left - r.left);
	}
	if (!r.failed)
		must(buf_len(w.out) == size &&
		    memcmp(buf_front(w.out), bytes, size) == 0);
	must(state_open(&r, bytes, size, 1) == -EINVAL ||
	    memcmp(bytes, "FKTSTATE", 8) == 0);
	state_writer_clear(&w);
	free(bytes);
	return 0;
}
