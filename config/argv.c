/*
 * argv - the program of a job and its arguments, from exec: or from shell:
 * with args:.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/argv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/field.h"
#include "config/place.h"
#include "config/trust.h"

#define EXEC_EXPECTED  "a list, the program first"
#define ARGS_EXPECTED  "a list of templates for \"$1\", \"$2\", ..."
#define SHELL_EXPECTED "a text for /bin/sh"
#define WRAP_EXPECTED  "a program and its arguments, without templates"
#define ITEM_EXPECTED  "text (a template needs quotes: \"{args.0}\")"

/* Takes t. */
static void
append(struct reader *r, struct handler *h, struct template *t, struct mark at)
{
	if (t == NULL) {
		reader_no_memory(r);
		return;
	}
	h->argv[h->nargv] = t;
	h->argv_at[h->nargv] = at;
	h->nargv++;
}

static bool
make_room(struct reader *r, struct handler *h, size_t n)
{
	h->argv = calloc(n, sizeof(struct template *));
	h->argv_at = calloc(n, sizeof *h->argv_at);
	if (h->argv != NULL && h->argv_at != NULL)
		return true;
	reader_no_memory(r);
	return false;
}

static void
append_templates(struct reader *r, struct handler *h, const struct node *list,
    size_t from, const char *name)
{
	for (size_t i = from; i < list->count; i++) {
		const struct node *n = list->items[i];
		struct err e = { 0 };
		char *text = reader_template_text(r, n, name, ITEM_EXPECTED);

		if (text == NULL)
			continue;
		struct template *t = template_parse(text, &e);
		if (t == NULL)
			reader_complain(r, n->at, "%s: %s", name, e.text);
		else
			append(r, h, t, n->at);
		free(text);
	}
}

static bool
count_fits(
    struct reader *r, const struct node *list, size_t least, const char *name)
{
	if (list->count >= least && list->count <= ARGV_MAX)
		return true;
	reader_complain(r, list->at, "%s: %zu elements, expected %zu to %d",
	    name, list->count, least, ARGV_MAX);
	return false;
}

/* The literal that a program's name must be; NULL after a complaint. */
static char *
program_name(struct reader *r, const struct node *n, const char *name)
{
	char *text = reader_text(r, n, name, "a program");
	struct err e = { 0 };

	if (text == NULL)
		return NULL;
	struct template *t = template_parse(text, &e);
	bool literal = t != NULL && template_is_literal(t);
	if (!literal)
		reader_complain(r, n->at,
		    "%s: a template, expected a program whose name is fixed",
		    name);
	template_free(t);
	if (literal)
		return text;
	free(text);
	return NULL;
}

/* The file, owned; NULL after a complaint. */
static char *
find_program(struct reader *r, const struct node *n, const char *name,
    const char *path, bool whole_way, const struct handler *h)
{
	const struct account *a = &h->confine.account;
	struct err e = { 0 };
	char *wanted = program_name(r, n, name);

	if (wanted == NULL)
		return NULL;
	char *program = place_program(wanted, path, &e);
	free(wanted);
	if (program != NULL && whole_way &&
	    trust_check(program, a->user ? a->uid : geteuid(), &e) < 0) {
		free(program);
		program = NULL;
	}
	if (program == NULL)
		reader_complain(r, n->at, "%s: %s", name, e.text);
	return program;
}

static void
read_exec(struct reader *r, const struct argv_nodes *nodes, const char *name,
    const char *path, struct handler *h)
{
	const struct node *exec = nodes->exec;

	if (!reader_wants(r, exec, NODE_LIST, name, EXEC_EXPECTED) ||
	    !count_fits(r, exec, 1, name) || !make_room(r, h, exec->count))
		return;
	h->program =
	    find_program(r, exec->items[0], name, path, nodes->whole_way, h);
	if (h->program != NULL)
		append(r, h, template_literal(h->program), exec->items[0]->at);
	append_templates(r, h, exec, 1, name);
}

/* Where a hole seems to be: "{args." and the like, but not "${args}". */
static const char *
find_hole(const char *text)
{
	static const char *const roots[] = { "args", "custom", "jid", "jobtype",
		"queue", "attempt" };

	for (const char *c = strchr(text, '{'); c != NULL;
	     c = strchr(c + 1, '{')) {
		if (c > text && c[-1] == '$')
			continue;
		for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
			size_t len = strlen(roots[i]);
			if (strncmp(c + 1, roots[i], len) == 0 &&
			    c[1 + len] != '\0' &&
			    strchr(".[}?", c[1 + len]) != NULL)
				return c;
		}
	}
	return NULL;
}

static bool
shell_text_fits(struct reader *r, const struct node *shell, const char *name)
{
	if (!reader_wants(r, shell, NODE_SCALAR, name, SHELL_EXPECTED))
		return false;
	const char *hole = find_hole(shell->text);
	if (hole != NULL)
		reader_complain(r, shell->at,
		    "%s: %.*s...} is not filled in within the text, expected "
		    "it in "
		    "args: and \"$1\" here",
		    name, (int)strcspn(hole, ".[}?"), hole);
	else if (shell->text[strspn(shell->text, " \t\n")] == '\0')
		reader_complain(r, shell->at, "%s: empty, expected %s", name,
		    SHELL_EXPECTED);
	else if (strlen(shell->text) > TEMPLATE_ELEMENT_MAX)
		reader_complain(r, shell->at,
		    "%s: too long, expected at most %d bytes", name,
		    TEMPLATE_ELEMENT_MAX);
	else
		return true;
	return false;
}

/*
 * The text is the shell's language, in which ${NAME} is a variable of the
 * handler's own environment: it is not expanded here.
 */
static void
read_shell(struct reader *r, const struct argv_nodes *nodes, const char *prefix,
    struct handler *h)
{
	char shell[FIELD_NAME_MAX], args[FIELD_NAME_MAX];
	struct mark at = nodes->shell->at;
	size_t nargs = 0;

	snprintf(shell, sizeof shell, "%sshell", prefix);
	snprintf(args, sizeof args, "%sargs", prefix);
	bool fits = shell_text_fits(r, nodes->shell, shell);
	if (nodes->args != NULL) {
		if (!reader_wants(
			r, nodes->args, NODE_LIST, args, ARGS_EXPECTED) ||
		    !count_fits(r, nodes->args, 0, args))
			return;
		nargs = nodes->args->count;
	}
	if (!make_room(r, h, 4 + nargs))
		return;
	if (fits) {
		h->program = strdup("/bin/sh");
		if (h->program == NULL)
			reader_no_memory(r);
		append(r, h, template_literal("/bin/sh"), at);
		append(r, h, template_literal("-c"), at);
		append(r, h, template_literal(nodes->shell->text), at);
		append(r, h, template_literal(h->jobtype), at);
	}
	if (nargs > 0)
		append_templates(r, h, nodes->args, 0, args);
}

/* A fixed argument of the wrapper; *out is untouched after a complaint. */
static bool
wrap_item(struct reader *r, const struct node *n, const char *name,
    struct template **out)
{
	char *text = reader_template_text(r, n, name, WRAP_EXPECTED);
	struct err e = { 0 };

	if (text == NULL)
		return false;
	struct template *t = template_parse(text, &e);
	bool literal = t != NULL && template_is_literal(t);
	if (t == NULL)
		reader_complain(r, n->at, "%s: %s", name, e.text);
	else if (!literal)
		reader_complain(r, n->at, "%s: a template, expected %s", name,
		    WRAP_EXPECTED);
	free(text);
	if (literal)
		*out = t;
	else
		template_free(t);
	return literal;
}

/* Moves what there is behind n new places. */
static bool
shift(struct reader *r, struct handler *h, size_t n)
{
	struct template **argv = h->argv;
	struct mark *at = h->argv_at;
	size_t nargv = h->nargv;

	if (!make_room(r, h, n + nargv)) {
		free(h->argv);
		free(h->argv_at);
		h->argv = argv;
		h->argv_at = at;
		return false;
	}
	h->nargv = 0;
	for (size_t i = 0; i < nargv; i++) {
		h->argv[n + i] = argv[i];
		h->argv_at[n + i] = at[i];
	}
	free(argv);
	free(at);
	return true;
}

/* All or nothing: what stands in front is complete, or is not there. */
static void
read_wrap(struct reader *r, const struct argv_nodes *nodes, const char *name,
    const char *path, struct handler *h)
{
	const struct node *wrap = nodes->wrap;
	struct template *items[ARGV_MAX] = { NULL };
	size_t n = 0;

	if (!reader_wants(r, wrap, NODE_LIST, name, WRAP_EXPECTED) ||
	    !count_fits(r, wrap, 0, name) || wrap->count == 0)
		return;
	char *program =
	    find_program(r, wrap->items[0], name, path, nodes->whole_way, h);
	if (program != NULL)
		items[n++] = template_literal(program);
	for (size_t i = 1; i < wrap->count; i++)
		n += wrap_item(r, wrap->items[i], name, &items[n]);
	size_t nargv = h->nargv;
	if (n < wrap->count || items[0] == NULL || !shift(r, h, n)) {
		for (size_t i = 0; i < n; i++)
			template_free(items[i]);
		free(program);
		return;
	}
	for (size_t i = 0; i < n; i++)
		append(r, h, items[i], wrap->items[i]->at);
	h->nargv = n + nargv;
	h->nwrap = n;
	free(h->program);
	h->program = program;
}

void
argv_read(struct reader *r, const struct argv_nodes *nodes, const char *prefix,
    const char *path, struct handler *h)
{
	char name[FIELD_NAME_MAX];
	int len = (int)strnlen(prefix, FIELD_NAME_MAX) - 1; /* no dot */

	if (nodes->exec != NULL && nodes->shell != NULL) {
		reader_complain(r, h->at,
		    "%.*s: both exec and shell, expected one of them", len,
		    prefix);
		return;
	}
	if (nodes->exec == NULL && nodes->shell == NULL) {
		reader_complain(r, h->at,
		    "%.*s: nothing to run, expected exec or shell", len,
		    prefix);
		return;
	}
	if (nodes->shell != NULL) {
		read_shell(r, nodes, prefix, h);
	} else {
		if (nodes->args != NULL)
			reader_complain(r, nodes->args->at,
			    "%sargs: belongs to shell, expected arguments "
			    "within exec",
			    prefix);
		snprintf(name, sizeof name, "%sexec", prefix);
		read_exec(r, nodes, name, path, h);
	}
	snprintf(name, sizeof name, "%swrap", prefix);
	if (nodes->wrap != NULL && h->nargv > 0)
		read_wrap(r, nodes, name, path, h);
}
