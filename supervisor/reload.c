/*
 * reload - what changes, what stays, what the server has to hear.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/reload.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Both generations own what they hold, so the old value is copied. */
static void
keep(const struct settings *next, const char *name, struct mark at,
    const char *old, char **value)
{
	char place[SETTINGS_PLACE_MAX];

	if (same(old, *value))
		return;
	log_say(LOG_LEVEL_WARNING, "reload",
	    "%s: %s changes at the next start only; until then the old value "
	    "stays",
	    settings_place(next, at, place), name);
	char *copy = old != NULL ? strdup(old) : NULL;
	if (old != NULL && copy == NULL)
		return; /* nobody reads it again before the next reload */
	free(*value);
	*value = copy;
}

static void
free_servers(char **servers, size_t n)
{
	for (size_t i = 0; servers != NULL && i < n; i++)
		free(servers[i]);
	free(servers);
}

/* As keep(), for the list. */
static void
keep_servers(const struct settings *old, struct settings *next)
{
	size_t n = old->nservers;
	bool changed = n != next->nservers;
	struct mark at =
	    next->nservers > 0 ? next->servers_at[0] : (struct mark){ 0 };
	char place[SETTINGS_PLACE_MAX];

	for (size_t i = 0; !changed && i < n; i++)
		changed = !same(old->servers[i], next->servers[i]);
	if (!changed)
		return;
	log_say(LOG_LEVEL_WARNING, "reload",
	    "%s: server changes at the next start only; until then the old "
	    "value stays",
	    settings_place(next, at, place));
	char **copy = calloc(n + 1, sizeof *copy);
	struct mark *marks = calloc(n + 1, sizeof *marks);
	bool good = copy != NULL && marks != NULL;
	for (size_t i = 0; good && i < n; i++) {
		copy[i] = strdup(old->servers[i]);
		marks[i] = at;
		good = copy[i] != NULL;
	}
	if (!good) { /* nobody reads it again before the next reload */
		free_servers(copy, n);
		free(marks);
		return;
	}
	free_servers(next->servers, next->nservers);
	free(next->servers_at);
	next->servers = copy;
	next->servers_at = marks;
	next->nservers = n;
}

void
reload_keep_fixed(const struct settings *old, struct settings *next)
{
	keep_servers(old, next);
	keep(next, "tmpdir", next->tmpdir_at, old->tmpdir, &next->tmpdir);
	keep(next, "state_dir", next->state_dir_at, old->state_dir,
	    &next->state_dir);
	if (next->cgroup != old->cgroup)
		log_say(LOG_LEVEL_WARNING, "reload",
		    "cgroup changes at the next start only; until then the old "
		    "value stays");
	next->cgroup = old->cgroup;
	keep(next, "http.listen", next->http_listen_at, old->http_listen,
	    &next->http_listen);
	keep(next, "control.socket", next->control_socket_at,
	    old->control_socket, &next->control_socket);
	keep(next, "control.group", next->control_group_at, old->control_group,
	    &next->control_group);
}

bool
reload_changes_labels(const struct settings *old, const struct settings *next)
{
	if (old->nlabels != next->nlabels)
		return true;
	for (size_t i = 0; i < old->nlabels; i++)
		if (strcmp(old->labels[i], next->labels[i]) != 0)
			return true;
	return false;
}
