/*
 * fuzz_template - one template gives one string, or a reason.
 *
 * The input is a template, a NUL byte, and JSON for args. Without a spread
 * exactly one string comes out of a filling that succeeds, it has no NUL and
 * keeps the ceiling; text with its braces doubled comes out as it was.
 * Exercises config/template*.c and path.c. Seeds: tests/fuzz/corpus/template/.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t strings;
	bool data_first;  /* one of them began with data */
	const char *want; /* NULL: any */
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static int
see(void *ctx, const char *bytes, size_t len, bool from_data)
{
	struct seen *s = ctx;

	must(len <= TEMPLATE_ELEMENT_MAX);
	must(len == 0 || memchr(bytes, '\0', len) == NULL);
	if (s->want != NULL)
		must(
		    strlen(s->want) == len && memcmp(s->want, bytes, len) == 0);
	s->strings++;
	s->data_first = s->data_first || from_data;
	return 0;
}

static void
fill(const char *text, const struct json *args)
{
	struct template_data d = { .args = *args,
		.custom = *args,
		.jid = "0123456789",
		.jobtype = "type",
		.queue = "default",
		.attempt = 1 };
	struct err e = { 0 };
	struct template *t = template_parse(text, &e);

	if (t == NULL) {
		must(strncmp(e.text, "column ", 7) == 0 ||
		    strncmp(e.text, "longer", 6) == 0);
		return;
	}
	struct seen seen = { 0 };
	int r = template_fill(t, &d, false, see, &seen, &e);
	must(r == 0 || (r == -EINVAL && e.text[0] != '\0'));
	if (r == 0 && !template_spreads(t))
		must(seen.strings == 1);
	must(!seen.data_first || !template_is_literal(t));
	template_free(t);
}

/* A text with its braces doubled is a literal that says the text. */
static void
doubled(const char *text)
{
	size_t len = strlen(text), n = 0;
	char *twice = malloc(2 * len + 1);
	struct seen seen = { .want = text };
	struct template_data none = { 0 };
	struct err e = { 0 };

	if (twice == NULL)
		return;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '{' || text[i] == '}')
			twice[n++] = text[i];
		twice[n++] = text[i];
	}
	twice[n] = '\0';
	struct template *t = template_parse(twice, &e);
	free(twice);
	if (n > TEMPLATE_ELEMENT_MAX) {
		must(t == NULL);
		return;
	}
	must(t != NULL && template_is_literal(t));
	must(strcmp(template_text(t), text) == 0);
	must(template_fill(t, &none, false, see, &seen, &e) == 0);
	must(seen.strings == 1 && !seen.data_first);
	template_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json args = { 0 };
	char *bytes = malloc(size + 1);

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	size_t len = strlen(bytes);
	if (len < size &&
	    json_check(bytes + len + 1, size - len - 1, &args, NULL))
		args = (struct json){ 0 };
	fill(bytes, &args);
	doubled(bytes);
	free(bytes);
	return 0;
}
