/*
 * account - user, group and groups of a job, by name or number.
 *
 * SPDX-License-Identifier: ISC
 */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "config/confinement.h"
#include "config/units.h"

/* -1 means "no change" to the system calls, so it is nobody's number. */
static bool
read_id(const char *text, int64_t *id)
{
	return units_integer(text, id) == 0 && *id >= 0 && *id < UINT32_MAX;
}

static void
keep_user(struct reader *r, struct account *a, const struct passwd *p,
    const char *text)
{
	free(a->name);
	free(a->home);
	free(a->shell);
	a->user = true;
	a->name = strdup(p != NULL ? p->pw_name : text);
	a->home = strdup(p != NULL && p->pw_dir[0] == '/' ? p->pw_dir : "/");
	a->shell = strdup(
	    p != NULL && p->pw_shell[0] == '/' ? p->pw_shell : "/bin/sh");
	if (a->name == NULL || a->home == NULL || a->shell == NULL)
		reader_no_memory(r);
}

void
confinement_user(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	const char *expected = "the name or number of a user of this host";
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);
	struct account *a = to;
	int64_t id = -1;

	if (text == NULL)
		return;
	bool numeric = read_id(text, &id);
	const struct passwd *p = numeric ? getpwuid((uid_t)id) : getpwnam(text);

	if (p == NULL && !numeric) {
		reader_complain(r, n->at,
		    "%s: there is no user %s, expected %s", name,
		    reader_quote(text, quoted), expected);
	} else {
		keep_user(r, a, p, text);
		a->uid = p != NULL ? p->pw_uid : (uid_t)id;
		if (!a->group) {
			a->gid_known = p != NULL;
			a->gid = p != NULL ? p->pw_gid : 0;
		}
	}
	free(text);
}

/* -1 after a complaint. */
static int64_t
find_group(struct reader *r, const struct node *n, const char *name)
{
	const char *expected = "the name or number of a group of this host";
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);
	int64_t id = -1;

	if (text == NULL)
		return -1;
	if (!read_id(text, &id)) {
		const struct group *g = getgrnam(text);

		id = g != NULL ? (int64_t)g->gr_gid : -1;
	}
	if (id < 0)
		reader_complain(r, n->at,
		    "%s: there is no group %s, expected %s", name,
		    reader_quote(text, quoted), expected);
	free(text);
	return id;
}

void
confinement_group(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct account *a = to;
	int64_t id = find_group(r, n, name);

	if (id < 0)
		return;
	a->group = a->gid_known = true;
	a->gid = (gid_t)id;
}

void
confinement_groups(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct account *a = to;

	if (!reader_wants(r, n, NODE_LIST, name, "a list of groups"))
		return;
	if (n->count > CONFINEMENT_GROUPS_MAX) {
		reader_complain(r, n->at, "%s: %zu groups, expected at most %d",
		    name, n->count, CONFINEMENT_GROUPS_MAX);
		return;
	}
	a->groups_given = true;
	a->ngroups = 0;
	for (size_t i = 0; i < n->count; i++) {
		int64_t id = find_group(r, n->items[i], name);

		if (id >= 0)
			a->groups[a->ngroups++] = (gid_t)id;
	}
}
