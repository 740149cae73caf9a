/*
 * handler - one jobtype's settings: what runs, how it is fed and limited.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_HANDLER_H
#define CONFIG_HANDLER_H

#include "config/field.h"
#include "config/settings.h"

/*
 * The rows of a job. The first HANDLER_OWN of them belong to one job alone;
 * the others may also stand below defaults:.
 */
extern const struct field handler_fields[];
enum { HANDLER_OWN = 4 };

/* What stands around a job. All borrowed. */
struct handler_context {
	const char *path; /* where bare program names are looked for */
	bool whole_way;   /* what leads to a program is checked, too */
	const struct node *defaults; /* a mapping; NULL: none */
	const char *secrets[2];      /* variables no handler may see; or NULL */
};

/* Complains about what is wrong below defaults:, once for all jobs. */
void handler_check_defaults(struct reader *r, const struct handler_context *c);

/* Fills *h, zeroed before, as far as it goes; complains about the rest. */
void handler_read(struct reader *r, const struct node *jobtype,
    const struct node *job, const struct handler_context *c, struct handler *h);

/* Frees what *h owns. */
void handler_clear(struct handler *h);

#endif
