/*
 * place - programs and directories that settings name: do they fit?
 *
 * Asked when the configuration is loaded, so that a mistake is told before it
 * costs a job. What passes may still change afterwards; starting a program
 * tells that then.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_PLACE_H
#define CONFIG_PLACE_H

#include "base/err.h"
#include "config/reader.h"

/*
 * An absolute name as it is; a bare one ("php") is looked for in the
 * directories of path, separated by colons. It must be a regular file that
 * can be executed and that only its owner can write.
 * Returns the absolute name, owned: free(). NULL with *e set.
 */
char *place_program(const char *name, const char *path, struct err *e);

/* Decoders for FIELD_OTHER rows, into a char *. */
void place_directory(struct reader *r, const struct node *n, const char *name,
    void *to); /* absolute; must exist */
void place_workdir(struct reader *r, const struct node *n, const char *name,
    void *to); /* the same, or "private": NULL */
void place_absolute(struct reader *r, const struct node *n, const char *name,
    void *to); /* absolute; need not exist */
void place_path(struct reader *r, const struct node *n, const char *name,
    void *to); /* absolute directories with colons between; need not exist */

#endif
