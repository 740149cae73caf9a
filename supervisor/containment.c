/*
 * containment - whether programs get control groups or units of their own here.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/containment.h"

#include <errno.h>

#include "base/log.h"
#include "handlers/scope.h"
#include "supervisor/confines.h"

static bool
wants(const struct settings *s)
{
	return s->cgroup == CGROUP_ON ||
	    (s->cgroup == CGROUP_AUTO && cgroups_are_delegated());
}

int
containment_check(
    const struct settings *s, const struct cgroups *g, struct err *e)
{
	char place[SETTINGS_PLACE_MAX];

	for (size_t i = 0; i < s->nhandlers; i++) {
		const struct handler *h = &s->handlers[i];
		const struct cgroup_limits limits =
		    confines_limits(&h->confine);

		if (!confinement_needs_cgroup(&h->confine) ||
		    h->confine.isolate == ISOLATE_UNIT)
			continue;
		if (g == NULL)
			return err_set(e, ENOTSUP,
			    "%s: jobs.%.100s: memory_max, tasks_max, "
			    "cpu_weight and cpu_quota need a control group, "
			    "expected a unit with Delegate=yes, or cgroup: on",
			    settings_place(s, h->at, place), h->jobtype);
		if (cgroups_can(g, &limits, e) < 0) {
			err_wrap(e, "%s: jobs.%.100s",
			    settings_place(s, h->at, place), h->jobtype);
			return -ENOTSUP;
		}
	}
	return 0;
}

int
containment_units(const struct settings *s, int64_t patience, struct err *e)
{
	char place[SETTINGS_PLACE_MAX];
	bool asked = false;

	for (size_t i = 0; i < s->nhandlers; i++) {
		const struct handler *h = &s->handlers[i];
		const struct cgroup_limits limits =
		    confines_limits(&h->confine);

		if (h->confine.isolate != ISOLATE_UNIT)
			continue;
		int r = cgroups_host_can(&limits, e);
		if (r == 0 && !asked)
			r = scope_probe(patience, e);
		if (r < 0) {
			err_wrap(e, "%s: jobs.%.100s: isolate: transient-unit",
			    settings_place(s, h->at, place), h->jobtype);
			e->code = ENOTSUP;
			return -ENOTSUP;
		}
		asked = true;
	}
	return 0;
}

int
containment_open(const struct settings *s, struct cgroups **out, struct err *e)
{
	*out = NULL;
	if (wants(s)) {
		*out = cgroups_open(e);
		if (*out == NULL && s->cgroup == CGROUP_ON) {
			err_wrap(e, "cgroup: on");
			return -ENOTSUP;
		}
		if (*out == NULL)
			log_say(LOG_LEVEL_WARNING, "cgroup",
			    "%s; going on without control groups", e->text);
	}
	int r = containment_check(s, *out, e);
	if (r == 0)
		return 0;
	cgroups_close(*out);
	*out = NULL;
	return r;
}
