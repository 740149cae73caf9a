/*
 * server_list - one URL, or several in the order in which they are tried.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/server_list.h"

#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

#define EXPECTED "a URL such as tcp://127.0.0.1:7419, or a list of at most 8"

static void
add(struct reader *r, const struct node *n, const char *name,
    struct settings *s)
{
	char *text = reader_text(r, n, name, EXPECTED);

	if (text != NULL && *text == '\0')
		reader_complain(
		    r, n->at, "%s: empty, expected %s", name, EXPECTED);
	if (text == NULL || *text == '\0') {
		free(text);
		return;
	}
	s->servers_at[s->nservers] = n->at;
	s->servers[s->nservers++] = text;
}

void
server_list_decode(
    struct reader *r, const struct node *n, const char *name, void *settings)
{
	struct settings *s = settings;
	bool list = n->kind == NODE_LIST;
	size_t count = list ? n->count : 1;

	if (count == 0 || count > SETTINGS_SERVERS_MAX) {
		reader_complain(r, n->at, "%s: %zu URLs, expected 1 to %d",
		    name, count, SETTINGS_SERVERS_MAX);
		return;
	}
	s->servers = calloc(count, sizeof *s->servers);
	s->servers_at = calloc(count, sizeof *s->servers_at);
	if (s->servers == NULL || s->servers_at == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < count; i++)
		add(r, list ? n->items[i] : n, name, s);
}
