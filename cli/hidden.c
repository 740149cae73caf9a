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
