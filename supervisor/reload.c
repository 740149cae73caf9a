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

void
reload_keep_fixed(const struct settings *old, struct settings *next)
{
	keep(next, "server", next->server_at, old->server, &next->server);
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
