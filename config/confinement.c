/*
 * confinement - who a program runs as, and what it may use and see.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/confinement.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/privilege.h"
#include "config/units.h"

const int confinement_resources[CONFINEMENT_LIMITS] = { RLIMIT_NOFILE,
	RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_CPU,
	RLIMIT_MEMLOCK, RLIMIT_STACK };

static void
take(struct setting_number *to, int64_t value)
{
	*to = (struct setting_number){ true, value };
}

/* What follows "limit_" in the order of confinement_resources. */
static int
resource_of(const char *name)
{
	static const char *const names[CONFINEMENT_LIMITS] = { "nofile",
		"nproc", "core", "fsize", "as", "cpu", "memlock", "stack" };
	const char *last = strrchr(name, '_');

	for (size_t i = 0; last != NULL && i < CONFINEMENT_LIMITS; i++)
		if (strcmp(last + 1, names[i]) == 0)
			return confinement_resources[i];
	return -1;
}

/* Only a privileged process may have more than its own hard limit. */
static void
keep_limit(struct reader *r, const struct node *n, const char *name,
    int64_t value, void *to)
{
	struct rlimit ours;
	int resource = resource_of(name);

	if (resource >= 0 &&
	    getrlimit((__rlimit_resource_t)resource, &ours) == 0 &&
	    ours.rlim_max != RLIM_INFINITY && (rlim_t)value > ours.rlim_max &&
	    !privilege_has(CAP_SYS_RESOURCE))
		reader_complain(r, n->at,
		    "%s: more than this process's own hard limit of %llu, "
		    "which needs CAP_SYS_RESOURCE",
		    name, (unsigned long long)ours.rlim_max);
	take(to, value);
}

typedef int read_number(const char *text, int64_t *value);

static void
read_limit(struct reader *r, const struct node *n, const char *name, void *to,
    read_number *read, const char *expected)
{
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);
	int64_t value;

	if (text == NULL)
		return;
	if (strcmp(text, "infinity") == 0)
		keep_limit(r, n, name, INT64_MAX, to);
	else if (read(text, &value) == 0 && value >= 0)
		keep_limit(r, n, name, value, to);
	else
		reader_complain(r, n->at, "%s: %s, expected %s", name,
		    reader_quote(text, quoted), expected);
	free(text);
}

static int
whole_seconds(const char *text, int64_t *value)
{
	int64_t ns;
	int r = units_duration(text, &ns);

	if (r < 0 || ns % CLOCK_NS_PER_S != 0)
		return -EINVAL;
	*value = ns / CLOCK_NS_PER_S;
	return 0;
}

void
confinement_count(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	read_limit(r, n, name, to, units_integer, "a number or infinity");
}

void
confinement_size(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	read_limit(
	    r, n, name, to, units_size, "a size such as 512M or infinity");
}

void
confinement_seconds(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	read_limit(r, n, name, to, whole_seconds,
	    "a duration in whole seconds such as 30s or infinity");
}

static void
read_within(struct reader *r, const struct node *n, const char *name, void *to,
    int64_t min, int64_t max)
{
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, "a number");
	int64_t value;

	if (text == NULL)
		return;
	if (units_integer(text, &value) == 0 && value >= min && value <= max)
		take(to, value);
	else
		reader_complain(r, n->at,
		    "%s: %s, expected a number from %lld to %lld", name,
		    reader_quote(text, quoted), (long long)min, (long long)max);
	free(text);
}

void
confinement_nice(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	const struct setting_number *got = to;
	int ours = getpriority(PRIO_PROCESS, 0);

	read_within(r, n, name, to, -20, 19);
	if (got->given && got->value < ours && !privilege_has(CAP_SYS_NICE))
		reader_complain(r, n->at,
		    "%s: lower than this process's own %d, which needs "
		    "CAP_SYS_NICE",
		    name, ours);
}

void
confinement_oom_score(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	const struct setting_number *got = to;

	read_within(r, n, name, to, -1000, 1000);
	if (got->given && got->value < 0 && !privilege_has(CAP_SYS_RESOURCE))
		reader_complain(r, n->at,
		    "%s: below 0, which needs CAP_SYS_RESOURCE", name);
}

static void
forget_read_only(struct confinement *c)
{
	for (size_t i = 0; i < c->nread_only; i++)
		free(c->read_only[i]);
	free(c->read_only);
	c->read_only = NULL;
	c->nread_only = 0;
}

void
confinement_read_only(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	const char *expected = "a list of absolute paths that exist";
	char quoted[READER_QUOTED_MAX];
	struct confinement *c = to;

	forget_read_only(c);
	if (!reader_wants(r, n, NODE_LIST, name, expected) || n->count == 0)
		return;
	c->read_only = calloc(n->count, sizeof *c->read_only);
	if (c->read_only == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++) {
		char *path = reader_text(r, n->items[i], name, expected);

		if (path == NULL)
			continue;
		if (path[0] != '/' || access(path, F_OK) < 0)
			reader_complain(r, n->items[i]->at,
			    "%s: %s, expected %s", name,
			    reader_quote(path, quoted), expected);
		c->read_only[c->nread_only++] = path;
	}
}

void
confinement_percent(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	const char *expected = "a percentage such as 50% or 200%";
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);
	int64_t value = 0;

	if (text == NULL)
		return;
	size_t len = strlen(text);
	bool percent = len > 0 && text[len - 1] == '%';
	if (percent)
		text[len - 1] = '\0';
	if (percent && units_integer(text, &value) == 0 && value >= 1 &&
	    value <= 100000) {
		*(int64_t *)to = value;
	} else {
		if (percent)
			text[len - 1] = '%';
		reader_complain(r, n->at, "%s: %s, expected %s", name,
		    reader_quote(text, quoted), expected);
	}
	free(text);
}

bool
confinement_needs_cgroup(const struct confinement *c)
{
	return c->memory_max > 0 || c->tasks_max > 0 || c->cpu_weight > 0 ||
	    c->cpu_quota > 0;
}

bool
confinement_is_plain(const struct confinement *c)
{
	for (size_t i = 0; i < CONFINEMENT_LIMITS; i++)
		if (c->limits[i].given)
			return false;
	return !c->account.user && !c->account.group &&
	    !c->account.groups_given && !c->nice.given &&
	    !c->oom_score_adjust.given && c->io_class == IO_AS_WE_ARE &&
	    c->no_new_privs && !c->private_tmp && !c->private_network &&
	    c->protect_system == PROTECT_OFF && c->nread_only == 0 &&
	    c->isolate == ISOLATE_NONE;
}

/* The groups that a login of this user would have. */
static void
find_groups(
    struct reader *r, struct mark at, const char *prefix, struct account *a)
{
	int n = CONFINEMENT_GROUPS_MAX;

	if (getgrouplist(a->name, a->gid, a->groups, &n) < 0) {
		reader_complain(r, at,
		    "%suser: it has more than %d groups, expected groups: with "
		    "those that it needs",
		    prefix, CONFINEMENT_GROUPS_MAX);
		return;
	}
	a->ngroups = (size_t)n;
}

static void
finish_account(
    struct reader *r, struct mark at, const char *prefix, struct account *a)
{
	if (!a->user && !a->group && !a->groups_given)
		return;
	if (!a->user)
		a->uid = geteuid();
	if (!a->user && !a->group)
		a->gid = getegid();
	else if (!a->gid_known)
		reader_complain(r, at,
		    "%suser: %s has no entry on this host, expected group: too",
		    prefix, a->name);
	if (a->user && !a->groups_given)
		find_groups(r, at, prefix, a);
	if ((a->uid != geteuid() && !privilege_has(CAP_SETUID)) ||
	    !privilege_has(CAP_SETGID))
		reader_complain(r, at,
		    "%suser, group and groups need a supervisor that runs as "
		    "root, or with CAP_SETUID and CAP_SETGID",
		    prefix);
}

/*
 * A unit outside of our own does not end with us: only a namespace's init sees
 * to that, and it needs the same privilege. The manager asks others than root
 * for an authorization, which a daemon has nobody to give.
 */
static void
finish_isolation(struct reader *r, struct mark at, const char *prefix,
    enum isolation isolate)
{
	bool unit = isolate == ISOLATE_UNIT;
	const char *word = unit ? "transient-unit" : "process";

	if (isolate == ISOLATE_NONE)
		return;
	if (!privilege_has(CAP_SYS_ADMIN) || (unit && geteuid() != 0))
		reader_complain(r, at,
		    "%sisolate: %s needs a supervisor that runs as root%s",
		    prefix, word,
		    unit ? ", with CAP_SYS_ADMIN" : ", or with CAP_SYS_ADMIN");
	else if (!privilege_process_namespaces())
		reader_complain(r, at,
		    "%sisolate: %s needs a kernel with process namespaces, "
		    "and /proc",
		    prefix, word);
	else if (unit && !privilege_service_manager())
		reader_complain(r, at,
		    "%sisolate: transient-unit needs a host whose service "
		    "manager is systemd: /run/systemd/system is not there",
		    prefix);
}

void
confinement_finish(
    struct reader *r, struct mark at, const char *prefix, struct confinement *c)
{
	bool trees = c->protect_system != PROTECT_OFF || c->nread_only > 0;

	finish_account(r, at, prefix, &c->account);
	if (c->io_class == IO_REALTIME && !privilege_has(CAP_SYS_NICE) &&
	    !privilege_has(CAP_SYS_ADMIN))
		reader_complain(
		    r, at, "%sio_class: realtime needs CAP_SYS_NICE", prefix);
	if ((trees || c->private_tmp || c->private_network) &&
	    !privilege_has(CAP_SYS_ADMIN))
		reader_complain(r, at,
		    "%sprivate_tmp, private_network, protect_system and "
		    "read_only_paths need a supervisor that runs as root, or "
		    "with CAP_SYS_ADMIN",
		    prefix);
	else if (trees && !privilege_read_only_trees())
		reader_complain(r, at,
		    "%sprotect_system and read_only_paths need Linux 5.12",
		    prefix);
	finish_isolation(r, at, prefix, c->isolate);
}

void
confinement_clear(struct confinement *c)
{
	free(c->account.name);
	free(c->account.home);
	free(c->account.shell);
	free(c->slice);
	forget_read_only(c);
}
