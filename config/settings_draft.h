/*
 * settings_draft - the file while it is read: what its top-level rows fill.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SETTINGS_DRAFT_H
#define CONFIG_SETTINGS_DRAFT_H

#include "config/document.h"
#include "config/settings.h"

/* The nodes are borrowed from the file, decoded once all rows are read. */
struct settings_draft {
	struct settings s;
	const struct node *root;
	const struct node *defaults;
	const struct node *jobs;
	const struct node *queue_limits;
};

#endif
