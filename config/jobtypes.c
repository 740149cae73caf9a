/*
 * jobtypes - the server's catalogue of jobtypes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/jobtypes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 1024 }; /* as in docs/protocol.md, "Jobs" */

/* What stands below one name. */
struct draft {
	const struct node *args;
	char *args_file;
	enum jobtype_mode mode;
};

#define AT(member) offsetof(struct draft, member)

const struct field_choice jobtype_modes[] = {
	{ "strict", JOBTYPE_STRICT },
	{ "warn", JOBTYPE_WARN },
	{ 0 },
};

static void
file_decode(struct reader *r, const struct node *n, const char *name, void *to)
{
	char *text = reader_text(r, n, name, "the name of a file");

	if (text != NULL)
		field_set_text(to, text);
}

const struct field jobtype_fields[] = {
	{ .name = "args",
	    .kind = FIELD_NODE,
	    .offset = AT(args),
	    .expected = "a JSON Schema",
	    .help = "What the list of args must look like: see "
		    "docs/server.md. "
		    "Variables (`$NAME`) are not expanded in it." },
	{ .name = "args_file",
	    .kind = FIELD_OTHER,
	    .decode = file_decode,
	    .offset = AT(args_file),
	    .expected = "the name of a file",
	    .help = "The same in a file of its own: JSON, or YAML when it is "
		    "called `.yaml` or `.yml`. A relative name begins where "
		    "the configuration lies." },
	{ .name = "mode",
	    .kind = FIELD_CHOICE,
	    .choices = jobtype_modes,
	    .offset = AT(mode),
	    .help = "For this jobtype, instead of `jobtypes_mode`." },
	{ 0 },
};

static void
read_args(struct reader *r, const struct node *n, const char *name,
    const struct draft *d, struct jobtype_setting *t)
{
	char full[FIELD_NAME_MAX];

	if (d->args != NULL && d->args_file != NULL) {
		reader_complain(r, n->at,
		    "%s: there are args and args_file, expected one of them",
		    name);
		return;
	}
	if (d->args != NULL)
		(void)schema_text_from_tree(r, d->args, &t->args);
	if (d->args_file == NULL)
		return;
	snprintf(full, sizeof full, "%.200s.args_file", name);
	(void)schema_text_from_file(
	    r, node_get(n, "args_file")->at, full, d->args_file, &t->args);
}

static void
read_one(struct reader *r, const struct node *key, const struct node *n,
    const char *prefix, struct jobtype_setting *t)
{
	char name[FIELD_NAME_MAX], inner[FIELD_NAME_MAX];
	struct field_given given = { 0 };
	struct draft d = { 0 };

	snprintf(name, sizeof name, "%s.%.100s", prefix, key->text);
	snprintf(inner, sizeof inner, "%s.%.100s.", prefix, key->text);
	if (key->text[0] == '\0' || strlen(key->text) > NAME_MAX_BYTES) {
		reader_complain(r, key->at,
		    "%s: expected a jobtype of 1 to %d bytes", prefix,
		    NAME_MAX_BYTES);
		return;
	}
	t->name = strdup(key->text);
	if (t->name == NULL)
		reader_no_memory(r);
	if (!reader_wants(r, n, NODE_MAPPING, name,
		"args, args_file and mode, or {} for any args"))
		return;
	field_read(r, n, inner, jobtype_fields, &given, &d);
	t->mode = d.mode;
	read_args(r, n, name, &d, t);
	free(d.args_file);
}

void
jobtypes_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct jobtypes *j = to;
	char prefix[FIELD_NAME_MAX];

	if (!reader_wants(r, n, NODE_MAPPING, name, "a mapping of jobtypes"))
		return;
	if (n->count == 0 || n->count > JOBTYPES_MAX) {
		reader_complain(r, n->at, "%s: %zu jobtypes, expected 1 to %d",
		    name, n->count, JOBTYPES_MAX);
		return;
	}
	snprintf(prefix, sizeof prefix, "%.100s.", name);
	field_no_repeats(r, n, prefix);
	j->each = calloc(n->count, sizeof *j->each);
	if (j->each == NULL) {
		reader_no_memory(r);
		return;
	}
	j->count = n->count;
	for (size_t i = 0; i < n->count; i++)
		read_one(r, n->keys[i], n->items[i], name, &j->each[i]);
}

void
jobtypes_settle(struct jobtypes *j)
{
	for (size_t i = 0; i < j->count; i++)
		if (j->each[i].mode == JOBTYPE_AS_ALL)
			j->each[i].mode = j->mode;
}

void
jobtypes_clear(struct jobtypes *j)
{
	for (size_t i = 0; i < j->count; i++) {
		free(j->each[i].name);
		schema_text_clear(&j->each[i].args);
	}
	free(j->each);
	*j = (struct jobtypes){ 0 };
}
