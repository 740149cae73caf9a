/*
 * fuzz_timespan - what is accepted is not negative, and twice the text is
 * twice the time.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/timespan.h"
#include "tests/fuzz/must.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(2, size + 2);
	int64_t once = 0, twice = 0;

	must(text != NULL);
	memcpy(text, data, size);
	if (timespan_read(text, &once) == 0 && once != TIMESPAN_INFINITY) {
		size_t len = strlen(text);

		must(once >= 0);
		text[len] = ' ';
		memcpy(text + len + 1, data, len);
		text[2 * len + 1] = '\0';
		if (timespan_read(text, &twice) == 0)
			must(twice / 2 == once);
	}
	free(text);
	return 0;
}
