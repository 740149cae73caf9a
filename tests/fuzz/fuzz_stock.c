/*
 * fuzz_stock - a stock server's file, read for what to write instead: each
 * text names the file, ends in time, is one line, and they are counted.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/stock.h"
#include "tests/fuzz/must.h"

static void
count(void *ctx, const char *text)
{
	int *told = ctx;

	must(strncmp(text, "f.toml:", 7) == 0);
	must(strlen(text) < STOCK_TEXT_MAX);
	must(strchr(text, '\n') == NULL && strchr(text, '=') == NULL);
	must(strstr(text, " is not read: ") != NULL);
	++*told;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int told = 0;

	stock_read("f.toml", (const char *)bytes, len, count, &told);
	must(told <= STOCK_LINES_MAX);
	return 0;
}
