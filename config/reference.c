/*
 * reference - every setting with its limits and default, from the rows.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/reference.h"

#include "config/handler.h"
#include "config/jobtypes.h"
#include "config/settings_fields.h"

static void print_rows(FILE *out, const char *prefix, const struct field *rows);

static void
print_row(FILE *out, const char *prefix, const struct field *row)
{
	char expected[FIELD_EXPECTED_MAX], inner[FIELD_NAME_MAX];

	if (row->kind == FIELD_GROUP) {
		snprintf(inner, sizeof inner, "%s%s.", prefix, row->name);
		print_rows(out, inner, row->rows);
		return;
	}
	fprintf(out, "| `%s%s` | %s | ", prefix, row->name,
	    field_expected(row, expected));
	if (row->dflt != NULL)
		fprintf(out, "`%s`", row->dflt);
	fprintf(out, " | %s |\n", row->help);
}

static void
print_rows(FILE *out, const char *prefix, const struct field *rows)
{
	for (; rows->name != NULL; rows++)
		print_row(out, prefix, rows);
}

static void
print_table(
    FILE *out, const char *title, const char *text, const struct field *rows)
{
	fprintf(out, "### %s\n\n%s\n\n", title, text);
	fprintf(out, "| setting | value | default | meaning |\n");
	fprintf(out, "|---|---|---|---|\n");
	print_rows(out, "", rows);
	fprintf(out, "\n");
}

void
reference_print(FILE *out)
{
	print_table(out, "The supervisor's file",
	    "`log.level` is the key `level` below the key `log`.",
	    settings_fields);
	print_table(out, "One job",
	    "Below `jobs:` and a jobtype. All but `exec`, `shell`, `args` and "
	    "`env` may also stand below `defaults:`.",
	    handler_fields);
	print_table(out, "The server's file", "For `faktotum-server -c FILE`.",
	    server_settings_fields);
	print_table(out, "One jobtype of the server",
	    "Below `jobtypes:` and a jobtype; `{}` for one that takes any "
	    "args.",
	    jobtype_fields);
}
