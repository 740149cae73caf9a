/*
 * handler_draft - a handler while it is read: what its rows fill.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_HANDLER_DRAFT_H
#define CONFIG_HANDLER_DRAFT_H

#include "config/argv.h"
#include "config/document.h"
#include "config/settings.h"

/* The nodes are borrowed from the file, decoded once all rows are read. */
struct handler_draft {
	struct handler h;
	struct argv_nodes argv;
	const struct node *env;
};

#endif
