/*
 * metric_names - the metrics that a handler's program may report.
 *
 * A mapping of names to counter or gauge. A name is what /metrics shows, so
 * it is spelt as Prometheus has it, is none of ours, and is of one kind in
 * all jobs.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_METRIC_NAMES_H
#define CONFIG_METRIC_NAMES_H

#include <stdbool.h>

#include "config/field.h"
#include "config/settings.h"

enum {
	METRIC_NAMES_MAX = 64, /* of one job */
	METRIC_NAME_MAX = 64,  /* bytes */
};

struct metric_name {
	char *name; /* owned */
	bool gauge; /* else a counter */
	struct mark at;
};

struct metric_names {
	size_t count;
	struct metric_name of[];
};

/* A FIELD_OTHER decoder into a struct metric_names *, NULL or owned. */
void metric_names_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* Complains of a name that is of two kinds. */
void metric_names_check(struct reader *r, const struct settings *s);

/* NULL: it was not declared. names may be NULL. */
const struct metric_name *metric_names_find(
    const struct metric_names *names, const char *name, size_t len);

/* Accepts NULL. */
void metric_names_free(struct metric_names *names);

#endif
