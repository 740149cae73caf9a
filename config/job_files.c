/*
 * job_files - values of a job that a program wants to find in files.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/job_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/env_name.h"
#include "config/field.h"
#include "config/permissions.h"

#define FROM_EXPECTED "one value of the job such as \"{args.0.photo}\""

enum { NAME_MAX_BYTES = 200 };

static const struct field_choice decodings[] = {
	{ "none", 0 },
	{ "base64", 1 },
	{ NULL, 0 },
};

/* One file while it is read. */
struct draft {
	struct job_file file;
	const struct node *from;
};

#define AT(member) offsetof(struct draft, member)

static const struct field file_fields[] = {
	{ .name = "env",
	    .kind = FIELD_TEXT,
	    .offset = AT(file.env),
	    .expected = "a variable's name",
	    .help = "The variable that holds the file's path." },
	{ .name = "from",
	    .kind = FIELD_NODE,
	    .offset = AT(from),
	    .expected = FROM_EXPECTED,
	    .help = "The value that is written." },
	{ .name = "name",
	    .kind = FIELD_TEXT,
	    .offset = AT(file.name),
	    .expected = "a file's name",
	    .help = "What the file is called; as the variable, without it." },
	{ .name = "decode",
	    .kind = FIELD_BOOL,
	    .offset = AT(file.base64),
	    .choices = decodings,
	    .dflt = "none",
	    .help = "How the value is to be read." },
	{ .name = "mode",
	    .kind = FIELD_OTHER,
	    .decode = permissions_decode,
	    .offset = AT(file.mode),
	    .dflt = "0600",
	    .expected = "octal digits such as 0600",
	    .help = "The file's permissions." },
	{ 0 },
};

/* "{path}" and nothing around it, into args or custom. */
static void
read_from(
    struct reader *r, const struct node *n, const char *name, struct path *to)
{
	char quoted[READER_QUOTED_MAX];
	struct err e = { 0 };
	const char *end;
	char *text = reader_template_text(r, n, name, FROM_EXPECTED);

	if (text == NULL)
		return;
	if (text[0] != '{') {
		reader_complain(r, n->at, "%s: %s is fixed, expected %s", name,
		    reader_quote(text, quoted), FROM_EXPECTED);
	} else if (path_parse(text + 1, to, &end, &e) < 0) {
		reader_complain(r, n->at, "%s: %s", name, e.text);
	} else if (strcmp(end, "}") != 0 ||
	    (to->root != PATH_ARGS && to->root != PATH_CUSTOM)) {
		reader_complain(r, n->at, "%s: %s, expected %s", name,
		    reader_quote(text, quoted), FROM_EXPECTED);
		path_clear(to);
		*to = (struct path){ .text = NULL };
	}
	free(text);
}

static void
check_names(struct reader *r, const struct node *n, const char *name,
    const struct job_file *f)
{
	char quoted[READER_QUOTED_MAX];
	const char *why = env_name_is_steering(f->env)
	    ? "changes what a program runs"
	    : env_name_refused(f->env);

	if (!env_name_is_valid(f->env))
		reader_complain(r, n->at,
		    "%s.env: %s cannot be a variable, expected letters, "
		    "digits and _",
		    name, reader_quote(f->env, quoted));
	else if (why != NULL)
		reader_complain(r, n->at,
		    "%s.env: %s %s, expected another variable", name, f->env,
		    why);
	if (f->name != NULL &&
	    (strchr(f->name, '/') != NULL || f->name[0] == '.' ||
		strlen(f->name) > NAME_MAX_BYTES))
		reader_complain(r, n->at,
		    "%s.name: %s cannot be a file's name, expected at most %d "
		    "bytes without '/' and no '.' in front",
		    name, reader_quote(f->name, quoted), NAME_MAX_BYTES);
}

static bool
is_taken(const struct job_files *files, const struct job_file *f)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->at[i].name, f->name) == 0 ||
		    strcmp(files->at[i].env, f->env) == 0)
			return true;
	return false;
}

static void
clear(struct job_file *f)
{
	free(f->env);
	free(f->name);
	if (f->from.text != NULL)
		path_clear(&f->from);
}

/* True when f is complete and may be kept. */
static bool
complete(struct reader *r, const struct node *n, const char *name,
    const struct job_files *files, struct job_file *f)
{
	if (f->name == NULL && (f->name = strdup(f->env)) == NULL) {
		reader_no_memory(r);
		return false;
	}
	if (!is_taken(files, f))
		return f->from.text != NULL;
	reader_complain(r, n->at,
	    "%s: two files with one name or variable, expected each once",
	    name);
	return false;
}

static void
read_file(struct reader *r, const struct node *n, const char *name,
    struct job_files *files)
{
	struct draft d = { .from = NULL };
	struct field_given given = { 0 };
	char prefix[FIELD_NAME_MAX], from[FIELD_NAME_MAX];

	if (!reader_wants(
		r, n, NODE_MAPPING, name, "a mapping with env and from"))
		return;
	(void)snprintf(prefix, sizeof prefix, "%.200s.", name);
	(void)snprintf(from, sizeof from, "%.200s.from", name);
	field_read(r, n, prefix, file_fields, &given, &d);
	field_defaults(r, prefix, file_fields, &given, &d);
	if (d.file.env != NULL)
		check_names(r, n, name, &d.file);
	if (d.from != NULL)
		read_from(r, d.from, from, &d.file.from);
	bool whole = node_get(n, "env") != NULL && node_get(n, "from") != NULL;
	if (!whole)
		reader_complain(
		    r, n->at, "%s: incomplete, expected env and from", name);
	if (whole && d.file.env != NULL && complete(r, n, name, files, &d.file))
		files->at[files->count++] = d.file;
	else
		clear(&d.file);
}

void
job_files_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct job_files **place = to;

	job_files_free(*place);
	*place = NULL;
	if (!reader_wants(r, n, NODE_LIST, name, "a list of files"))
		return;
	if (n->count > JOB_FILES_MAX) {
		reader_complain(r, n->at, "%s: %zu files, expected at most %d",
		    name, n->count, JOB_FILES_MAX);
		return;
	}
	if (n->count == 0)
		return;
	struct job_files *files = calloc(1, sizeof *files);
	if (files == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++)
		read_file(r, n->items[i], name, files);
	*place = files;
}

void
job_files_free(struct job_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->count; i++)
		clear(&files->at[i]);
	free(files);
}
