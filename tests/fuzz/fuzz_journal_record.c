/*
 * fuzz_journal_record - what is read from a journal is what would be written
 * for it, byte by byte, and nothing shorter passes for it.
 *
 * Exercises supervisor/journal_record.c. A checksum keeps random bytes out,
 * so it is put right first.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "base/buf.h"
#include "supervisor/journal_record.h"
#include "tests/fuzz/must.h"

static uint32_t
crc32_by_bits(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320 : 0);
	}
	return ~crc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_record r;
	/* An exact-size copy lets the sanitizer see one byte too far. */
	char *bytes = malloc(size > 0 ? size : 1);

	must(bytes != NULL);
	memcpy(bytes, data, size);

	if (size > 8) {
		uint32_t len = (uint32_t)(size - 8);
		uint32_t crc = crc32_by_bits(data + 8, size - 8);

		for (int i = 0; i < 4; i++) {
			bytes[i] = (char)(len >> (8 * i));
			bytes[4 + i] = (char)(crc >> (8 * i));
		}
	}
	size_t used = journal_record_read(bytes, size, &r);
	must(used == 0 || used == size);
	if (used > 0) {
		struct buf *again = buf_new(size + 64);

		must(again != NULL && journal_record_put(again, &r) == 0);
		must(buf_len(again) == used &&
		    memcmp(buf_front(again), bytes, used) == 0);
		buf_free(again);
		must(journal_record_read(bytes, size - 1, &r) == 0);
	}
	free(bytes);
	return 0;
}
