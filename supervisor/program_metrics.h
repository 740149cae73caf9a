/*
 * program_metrics - the numbers that programs report by messages.
 *
 * Each declared name of each jobtype is one series. It gets its place when
 * the settings name it and keeps it; reporting allocates nothing.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_PROGRAM_METRICS_H
#define SUPERVISOR_PROGRAM_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/settings.h"

enum { PROGRAM_SERIES_MAX = 4096 }; /* further ones are left out, and told */

struct program_metrics;

/* NULL when memory is short. */
struct program_metrics *program_metrics_new(void);

/* Accepts NULL. */
void program_metrics_free(struct program_metrics *p);

/*
 * Makes room for what these settings declare. A name whose kind has changed
 * begins anew.
 */
void program_metrics_know(struct program_metrics *p, const struct settings *s);

/*
 * A counter grows by value, a gauge becomes it. Returns 0; -ENOENT when there
 * is no such series, -EINVAL for a counter that would shrink.
 */
int program_metrics_report(struct program_metrics *p, const char *jobtype,
    const char *name, double value);

/* One series as it stands. */
struct program_series {
	const char *name;
	const char *jobtype;
	bool gauge;
	double value;
};

/*
 * Counters, and gauges that were reported, by name and then in the order in
 * which they became known: start with *cursor 0; false after the last.
 */
bool program_metrics_next(const struct program_metrics *p, size_t *cursor,
    struct program_series *out);

#endif
