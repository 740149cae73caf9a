/*
 * hidden - a short list of names and values.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/hidden.h"

#include <stdlib.h>
#include <string.h>

enum { HIDDEN_MAX = 8 };

static struct {
	char *name;
	char *value;
} hidden[HIDDEN_MAX];
static size_t nhidden;

void
hidden_take(const char *name)
{
	char *value = getenv(name);

	if (value == NULL)
		return;
	if (nhidden < HIDDEN_MAX) {
		hidden[nhidden].name = strdup(name);
		hidden[nhidden].value = strdup(value);
		nhidden++;
	}
	explicit_bzero(value, strlen(value));
	unsetenv(name);
}

const char *
hidden_lookup(const char *name)
{
	for (size_t i = 0; i < nhidden; i++)
		if (hidden[i].name != NULL && strcmp(hidden[i].name, name) == 0)
			return hidden[i].value;
	return getenv(name);
}

void
hidden_forget(void)
{
	for (size_t i = 0; i < nhidden; i++) {
		if (hidden[i].value != NULL)
			explicit_bzero(
			    hidden[i].value, strlen(hidden[i].value));
		free(hidden[i].value);
		free(hidden[i].name);
	}
	nhidden = 0;
}

void
hidden_save(struct state_writer *w)
{
	state_put_int(w, (int64_t)nhidden);
	for (size_t i = 0; i < nhidden; i++) {
		state_put_text(w, hidden[i].name);
		state_put_text(w, hidden[i].value);
	}
}

void
hidden_load(struct state_reader *r)
{
	size_t n = (size_t)state_get_within(r, 0, HIDDEN_MAX);

	for (nhidden = 0; nhidden < n; nhidden++) {
		hidden[nhidden].name = state_get_text(r);
		hidden[nhidden].value = state_get_text(r);
	}
}
