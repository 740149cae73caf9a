/*
 * sources - the files that make up one configuration, joined to one tree.
 *
 *   FILE.yaml   that file, then FILE.d/<name>.yaml in the order of their names
 *   DIRECTORY   DIRECTORY/<name>.yaml in the order of their names
 *
 * ".yml" does as well as ".yaml". What editors and package managers leave
 * lying about (hidden files, "a.yaml~", "a.yaml.dpkg-new") is not read, and
 * neither is anything else with another ending; their names are kept, so that
 * the operator can be told.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SOURCES_H
#define CONFIG_SOURCES_H

#include <stddef.h>

#include "base/err.h"
#include "base/state.h"
#include "config/document.h"
#include "config/reader.h"

enum {
	SOURCES_MAX = 1000,                 /* files */
	SOURCES_SIZE_MAX = 4 * 1024 * 1024, /* bytes of all together */
};

struct source {
	char *name; /* as it can be opened */
	char *text;
	size_t len;
};

/* Zeroed: nothing. */
struct sources {
	char *name; /* what the operator named */
	struct source *files;
	size_t nfiles;
	char **skipped; /* paths of what was not read */
	size_t nskipped;
};

/*
 * Reads all files. Returns 0; a negative errno with *e set when one cannot be
 * read, or there is none; *s is empty then. Free with sources_clear().
 */
int sources_load(struct sources *s, const char *path, struct err *e);

void sources_clear(struct sources *s);

/*
 * One tree of all files, owned: document_free(). Settings follow each other
 * as if they stood in one file, and so do the jobtypes below "jobs"; what then
 * stands twice is for whoever decodes it to complain about. Marks say which
 * file they belong to: r->files are the names, set by the caller. NULL after
 * at least one complaint.
 */
struct node *sources_tree(const struct sources *s, struct reader *r);

/* The texts, for a successor that must read what we have read. */
void sources_save(const struct sources *s, struct state_writer *w);
/* Returns 0, or -EINVAL: r has failed, or memory is short. */
int sources_load_state(struct sources *s, struct state_reader *r);

#endif
