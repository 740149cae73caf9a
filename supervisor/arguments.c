/*
 * arguments - templates filled, guarded, counted.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/arguments.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Linux takes no more than this whatever the stack's limit (exec(2)). */
static const size_t linux_max = 6UL * 1024 * 1024;

/* For the program's path, the auxiliary vector and what exec adds. */
static const size_t reserve = 8192;

struct filling {
	const struct handler *how;
	char **argv; /* owned */
	size_t argc;
	size_t cap;
	size_t bytes;
	size_t limit;
	bool wrapping; /* still in what stands in front of the program */
	bool guarded;  /* no literal "--" yet, and dashes are not allowed */
	struct err *e;
};

size_t
arguments_limit(void)
{
	static size_t limit; /* asked once: it costs a system call */

	if (limit == 0) {
		long told = sysconf(_SC_ARG_MAX);
		size_t most = told > 0 && (size_t)told < linux_max
		    ? (size_t)told
		    : linux_max;

		limit = most > reserve ? most - reserve : 1;
	}
	return limit;
}

static int
make_room(struct filling *f)
{
	if (f->argc + 1 < f->cap)
		return 0;

	size_t cap = f->cap * 2;
	char **argv = realloc(f->argv, cap * sizeof *argv);
	if (argv == NULL)
		return err_set(f->e, ENOMEM, "out of memory");
	f->argv = argv;
	f->cap = cap;
	return 0;
}

/* As template_emit. */
static int
emit(void *ctx, const char *bytes, size_t len, bool from_data)
{
	struct filling *f = ctx;

	if (f->guarded && from_data && len > 0 && bytes[0] == '-')
		return err_set(f->e, EINVAL,
		    "the job's value begins with '-' and would be read as an "
		    "option");
	if (len > TEMPLATE_ELEMENT_MAX)
		return err_set(f->e, EINVAL,
		    "longer than the %d bytes that an argument may have",
		    TEMPLATE_ELEMENT_MAX);
	f->bytes += len + 1 + sizeof(char *);
	if (f->bytes > f->limit)
		return err_set(f->e, EINVAL,
		    "all arguments together are longer than %zu bytes; "
		    "`input` gives a program as much as there is",
		    f->limit);
	if (make_room(f) < 0)
		return -ENOMEM;

	char *element = malloc(len + 1);
	if (element == NULL)
		return err_set(f->e, ENOMEM, "out of memory");
	memcpy(element, bytes, len);
	element[len] = '\0';
	f->argv[f->argc++] = element;
	f->argv[f->argc] = NULL;
	return 0;
}

static int
fill(struct filling *f, const struct template *t,
    const struct template_data *data)
{
	if (!template_is_literal(t))
		return template_fill(t, data, f->how->any_bytes, emit, f, f->e);

	const char *text = template_text(t);
	/* A wrapper's own "--" says nothing about the program's options. */
	if (!f->wrapping && strcmp(text, "--") == 0)
		f->guarded = false;
	return emit(f, text, strlen(text), false);
}

char **
arguments_make(const struct handler *how, const struct template_data *data,
    size_t *bytes, struct err *e)
{
	struct filling f = { .how = how,
		.cap = how->nargv + 2,
		.limit = arguments_limit(),
		.guarded = !how->allow_dash,
		.e = e };

	f.argv = malloc(f.cap * sizeof *f.argv);
	if (f.argv == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	f.argv[0] = NULL;
	for (size_t i = 0; i < how->nargv; i++) {
		f.wrapping = i < how->nwrap;
		int r = fill(&f, how->argv[i], data);

		if (r == 0)
			continue;
		arguments_free(f.argv);
		if (r == -ENOMEM)
			err_set(e, ENOMEM, "out of memory");
		else
			err_wrap(e, "argument %zu", i);
		return NULL;
	}
	*bytes = f.bytes;
	return f.argv;
}

void
arguments_free(char **argv)
{
	if (argv == NULL)
		return;
	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	free(argv);
}
