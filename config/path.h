/*
 * path - the way to one value of a job: args.0.size, custom["a.b"].
 *
 * A root (args, custom, jid, jobtype, queue, attempt) and steps below it.
 * A step is a member's name or an element's number, counted from 0. Where a
 * member's own name contains dots ("a.b"), the longest name that exists wins
 * over the way through several members.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_PATH_H
#define CONFIG_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

enum { PATH_STEPS_MAX = 16, PATH_TEXT_MAX = 1024 };

enum path_root {
	PATH_ARGS,
	PATH_CUSTOM,
	PATH_JID,
	PATH_JOBTYPE,
	PATH_QUEUE,
	PATH_ATTEMPT,
};

struct path_step {
	size_t at; /* into keys */
	size_t len;
	bool exact; /* ["..."]: never joined with its neighbours */
};

struct path {
	enum path_root root;
	size_t nsteps;
	struct path_step steps[PATH_STEPS_MAX];
	char *text; /* as written; owned */
	char *keys; /* the steps' names, a dot between each; owned */
};

/*
 * Reads a path from the front of text, as far as it goes; *end is set behind
 * it. Returns 0 and the caller clears *p with path_clear(). -EINVAL or
 * -ENOMEM with *e set, *end at the fault, and nothing to clear.
 */
int
path_parse(const char *text, struct path *p, const char **end, struct err *e);
void path_clear(struct path *p);

/* Where the steps lead from a value; kind JSON_NONE: nowhere. */
struct json path_find(const struct path *p, const struct json *from);

#endif
