/*
 * handler_env - the variables of one job: env: and env_pass:.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/handler_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/env_name.h"
#include "config/field.h"

static bool
name_fits(
    struct reader *r, const struct node *n, const char *var, const char *name)
{
	char quoted[READER_QUOTED_MAX];
	const char *why = env_name_refused(var);

	reader_quote(var, quoted);
	if (!env_name_is_valid(var))
		reader_complain(r, n->at,
		    "%s: %s cannot be a variable, expected "
		    "letters, digits and _",
		    name, quoted);
	else if (why != NULL)
		reader_complain(r, n->at,
		    "%s: %s %s, expected another variable", name, var, why);
	else
		return true;
	return false;
}

static bool
count_fits(struct reader *r, const struct node *n, const char *name)
{
	if (n->count <= HANDLER_ENV_MAX)
		return true;
	reader_complain(r, n->at, "%s: %zu variables, expected at most %d",
	    name, n->count, HANDLER_ENV_MAX);
	return false;
}

static void
read_variable(struct reader *r, const struct node *key,
    const struct node *value, const char *prefix, struct handler *h)
{
	char name[FIELD_NAME_MAX];
	struct err e = { 0 };

	snprintf(name, sizeof name, "%s.%s", prefix, key->text);
	char *text = reader_template_text(r, value, name,
	    "text (a template needs quotes: \"{custom.tenant}\")");
	if (text == NULL)
		return;
	struct template *t = template_parse(text, &e);
	if (t == NULL) {
		reader_complain(r, value->at, "%s: %s", name, e.text);
	} else if (template_spreads(t)) {
		reader_complain(r, value->at,
		    "%s: %s makes several values, expected one", name, text);
	} else if (!template_is_literal(t) && env_name_is_steering(key->text)) {
		reader_complain(r, value->at,
		    "%s: changes what a program runs, "
		    "expected a fixed value, not a job's",
		    name);
	} else {
		struct env_setting *env = &h->env[h->nenv];

		env->name = strdup(key->text);
		env->value = t;
		t = NULL;
		h->nenv++;
		if (env->name == NULL)
			reader_no_memory(r);
	}
	template_free(t);
	free(text);
}

void
handler_env_read(
    struct reader *r, const struct node *n, const char *name, struct handler *h)
{
	char prefix[FIELD_NAME_MAX];

	if (!reader_wants(
		r, n, NODE_MAPPING, name, "a mapping of names to values") ||
	    !count_fits(r, n, name))
		return;
	snprintf(prefix, sizeof prefix, "%s.", name);
	field_no_repeats(r, n, prefix);
	h->env = calloc(n->count + 1, sizeof *h->env);
	if (h->env == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++)
		if (name_fits(r, n->keys[i], n->keys[i]->text, name))
			read_variable(r, n->keys[i], n->items[i], name, h);
}

static void
clear_pass(struct handler *h)
{
	for (size_t i = 0; i < h->nenv_pass; i++)
		free(h->env_pass[i]);
	free(h->env_pass);
	h->env_pass = NULL;
	h->nenv_pass = 0;
}

void
handler_env_pass(
    struct reader *r, const struct node *n, const char *name, void *handler)
{
	struct handler *h = handler;

	clear_pass(h);
	if (!reader_wants(r, n, NODE_LIST, name, "a list of names") ||
	    !count_fits(r, n, name))
		return;
	h->env_pass = calloc(n->count + 1, sizeof *h->env_pass);
	if (h->env_pass == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++) {
		char *var =
		    reader_text(r, n->items[i], name, "a variable's name");

		if (var != NULL && name_fits(r, n->items[i], var, name))
			h->env_pass[h->nenv_pass++] = var;
		else
			free(var);
	}
}

void
handler_env_clear(struct handler *h)
{
	for (size_t i = 0; i < h->nenv; i++) {
		free(h->env[i].name);
		template_free(h->env[i].value);
	}
	free(h->env);
	h->env = NULL;
	h->nenv = 0;
	clear_pass(h);
}
