/*
 * docs/configuration.md tells every setting as the program has it: its
 * generated part is what reference_print() prints today.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN "<!-- reference: begin -->\n"
#define END   "<!-- reference: end -->\n"

static char *
read_all(const char *file)
{
	size_t len = 0, n;
	char *text = malloc(1 << 20);
	FILE *f = fopen(file, "r");

	if (f == NULL)
		fail_msg("%s cannot be read", file);
	while ((n = fread(text + len, 1, (1 << 20) - 1 - len, f)) > 0)
		len += n;
	fclose(f);
	text[len] = '\0';
	return text;
}

static void
the_document_tells_what_the_program_knows(void **state)
{
	char *printed = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&printed, &len);
	char *doc = read_all("docs/configuration.md");

	(void)state;
	reference_print(out);
	fclose(out);
	char *begin = strstr(doc, BEGIN);
	char *end = strstr(doc, END);
	assert_non_null(begin);
	assert_non_null(end);
	*end = '\0';
	if (strcmp(begin + strlen(BEGIN), printed) != 0)
		fail_msg("the reference is old: run contrib/gen-config-docs");
	free(printed);
	free(doc);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_tells_what_the_program_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
