/*
 * jobtypes - the server's catalogue: which jobtypes there are, and what their
 * args look like.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_JOBTYPES_H
#define CONFIG_JOBTYPES_H

#include "config/field.h"
#include "config/schema_text.h"

enum { JOBTYPES_MAX = 10000 };

enum jobtype_mode {
	JOBTYPE_AS_ALL, /* as jobtypes_mode says */
	JOBTYPE_STRICT, /* what does not fit is refused */
	JOBTYPE_WARN,   /* and here only told */
};

struct jobtype_setting {
	char *name;
	enum jobtype_mode mode;  /* never JOBTYPE_AS_ALL once all is read */
	struct schema_text args; /* file NULL: any args */
};

struct jobtypes {
	struct jobtype_setting *each; /* owned, as all within */
	size_t count;                 /* 0: there is no catalogue */
	enum jobtype_mode mode;       /* for unknown ones */
};

/* The rows of one jobtype, for the reference. */
extern const struct field jobtype_fields[];

/* Words of a row that is a mode. */
extern const struct field_choice jobtype_modes[];

/* A FIELD_OTHER decoder into a struct jobtypes; mode is left alone. */
void jobtypes_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* Once mode is known: it is that of each which has none of its own. */
void jobtypes_settle(struct jobtypes *j);

void jobtypes_clear(struct jobtypes *j);

#endif
