/*
 * template_parts - how a parsed template lies in memory. Only for template*.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_TEMPLATE_PARTS_H
#define CONFIG_TEMPLATE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/path.h"

enum { TEMPLATE_PARTS_MAX = 256 };

/* Either a literal or a hole. */
struct part {
	char *literal; /* owned; NULL: a hole */
	size_t len;    /* of literal */
	struct path path;
	char *dflt; /* owned; NULL: the value must be there */
};

struct template
{
	char *text; /* as written; owned */
	struct part *parts;
	size_t nparts;
	bool spreads; /* then there is exactly one part, a hole */
};

/* Whether what it gives is for a job's producer to choose. */
bool part_is_data(const struct part *part);

#endif
