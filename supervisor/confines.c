/*
 * confines - a handler's confinement as handlers/spawn takes it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/confines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* <linux/ioprio.h> is not for programs in older headers. */
enum { IO_CLASS_SHIFT = 13 };

/* The struct, with the list that its sandbox refers to. */
struct made {
	struct confine confine;
	const char *paths[];
};

static bool
has_identity(const struct account *a)
{
	return a->user || a->group || a->groups_given;
}

static void
add_limits(struct confine *to, const struct confinement *c)
{
	for (size_t i = 0; i < CONFINEMENT_LIMITS; i++)
		if (c->limits[i].given)
			to->limits[to->nlimits++] =
			    (struct confine_limit){ confinement_resources[i],
				    c->limits[i].value == INT64_MAX
					? RLIM_INFINITY
					: (rlim_t)c->limits[i].value };
}

/* At most three and those of read_only_paths. */
static size_t
add_paths(const char **paths, const struct confinement *c)
{
	size_t n = 0;

	if (c->protect_system == PROTECT_YES ||
	    c->protect_system == PROTECT_FULL) {
		paths[n++] = "/usr";
		paths[n++] = "/boot";
	}
	if (c->protect_system == PROTECT_FULL)
		paths[n++] = "/etc";
	for (size_t i = 0; i < c->nread_only; i++)
		paths[n++] = c->read_only[i];
	return n;
}

int
confines_make(
    const struct confinement *c, const char *keep, struct confine **out)
{
	static const int io_classes[] = {
		[IO_REALTIME] = 1, [IO_BEST_EFFORT] = 2, [IO_IDLE] = 3
	};

	*out = NULL;
	if (confinement_is_plain(c))
		return 0;
	struct made *m =
	    calloc(1, sizeof *m + (3 + c->nread_only) * sizeof m->paths[0]);
	if (m == NULL)
		return -ENOMEM;
	struct confine *to = &m->confine;
	to->identity = has_identity(&c->account);
	to->uid = c->account.uid;
	to->gid = c->account.gid;
	to->groups = c->account.groups;
	to->ngroups = c->account.ngroups;
	add_limits(to, c);
	to->has_nice = c->nice.given;
	to->nice = (int)c->nice.value;
	if (c->io_class != IO_AS_WE_ARE)
		to->io_priority = io_classes[c->io_class] << IO_CLASS_SHIFT |
		    (c->io_class == IO_IDLE ? 0 : (int)c->io_priority);
	if (c->oom_score_adjust.given)
		(void)snprintf(to->oom_score_adj, sizeof to->oom_score_adj,
		    "%d", (int)c->oom_score_adjust.value);
	to->may_gain_privileges = !c->no_new_privs;
	to->sandbox = (struct sandbox){ .tmp = c->private_tmp,
		.proc = c->isolate != ISOLATE_NONE,
		.network = c->private_network,
		.all = c->protect_system == PROTECT_STRICT,
		.read_only = m->paths,
		.nread_only = add_paths(m->paths, c),
		.keep = keep };
	*out = to;
	return 0;
}

void
confines_free(struct confine *c)
{
	free(c); /* the first member of a struct made */
}

struct cgroup_limits
confines_limits(const struct confinement *c)
{
	return (struct cgroup_limits){ .memory_max = c->memory_max,
		.tasks_max = c->tasks_max,
		.cpu_weight = c->cpu_weight,
		.cpu_percent = c->cpu_quota };
}

int
confines_give(const struct confinement *c, const char *dir)
{
	if (!has_identity(&c->account))
		return 0;
	return chown(dir, c->account.uid, c->account.gid) < 0 ? -errno : 0;
}
