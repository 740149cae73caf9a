/*
 * fuzz_trace - what is found in a text lies in it, and what stood before the
 * trace changes nothing.
 *
 * The first byte chooses the kind of trace. Seeds are what the interpreters
 * themselves printed.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "handlers/trace.h"
#include "tests/fuzz/must.h"

static void
must_lie_in(struct trace_span s, const char *text, size_t len)
{
	must(s.len <= len);
	must(s.bytes >= text && s.bytes + s.len <= text + len);
}

/* A fixed text of our own may stand for the type. */
static void
check_found(const struct trace *t, const char *text, size_t len)
{
	must(t->type.len > 0);
	must(memchr(t->type.bytes, '\n', t->type.len) == NULL);
	must_lie_in(t->message, text, len);
	must(memchr(t->message.bytes, '\n', t->message.len) == NULL);
	must_lie_in(t->lines, text, len);
	must(t->lines.len > 0);
	must(t->lines.bytes == text || t->lines.bytes[-1] == '\n');
}

static bool
same(struct trace_span a, struct trace_span b)
{
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char before[] = "it began well\n\n";
	struct trace found, again;

	if (size < 1)
		return 0;
	enum trace_kind kind = (enum trace_kind)(data[0] % (TRACE_PHP + 1));
	size_t len = size - 1;
	/* Exact sizes let the sanitizer see one byte too far. */
	char *text = malloc(len > 0 ? len : 1);
	char *longer = malloc(len + sizeof before);

	must(text != NULL && longer != NULL);
	memcpy(text, data + 1, len);
	memcpy(longer, before, sizeof before - 1);
	memcpy(longer + sizeof before - 1, text, len);
	if (trace_find(kind, text, len, &found)) {
		check_found(&found, text, len);
		must(trace_find(kind, longer, len + sizeof before - 1, &again));
		must(same(found.type, again.type));
		must(same(found.message, again.message));
	}
	free(text);
	free(longer);
	return 0;
}
