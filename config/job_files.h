/*
 * job_files - values of a job that a program wants to find in files.
 *
 *	files: [{env: PHOTO, from: "{args.0.photo}", decode: base64, mode: 0600}]
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_JOB_FILES_H
#define CONFIG_JOB_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/path.h"
#include "config/reader.h"

enum { JOB_FILES_MAX = 32 };

struct job_file {
	char *env;  /* the variable that holds its path; owned, as the next */
	char *name; /* within the private directory; has no slash */
	struct path from;
	int64_t mode;
	bool base64;
};

struct job_files {
	struct job_file at[JOB_FILES_MAX];
	size_t count;
};

/* A FIELD_OTHER decoder into a struct job_files *, NULL or owned before. */
void job_files_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* Accepts NULL. */
void job_files_free(struct job_files *files);

#endif
