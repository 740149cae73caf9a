/*
 * output_settings - where what a program prints is kept, a file for each run.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/output_settings.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "config/handler_draft.h"
#include "config/place.h"

#define AT(member) offsetof(struct handler_draft, member)
#define DAY        (INT64_C(24) * 3600 * CLOCK_NS_PER_S)

/* Whoever may write there may put links in place of files. */
static bool
is_ours_alone(struct reader *r, const struct node *n, const char *name)
{
	char quoted[READER_QUOTED_MAX];
	struct stat st;

	if (n->kind != NODE_SCALAR || stat(n->text, &st) < 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true; /* what else is wrong is told elsewhere */
	reader_complain(r, n->at,
	    "%s: %s can be written by its group or by others (mode %04o), "
	    "expected chmod go-w",
	    name, reader_quote(n->text, quoted), (unsigned)st.st_mode & 07777);
	return false;
}

void
output_settings_dir(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	if (n->kind == NODE_SCALAR && strcmp(n->text, "off") == 0)
		field_set_text(to, NULL);
	else if (is_ours_alone(r, n, name))
		place_directory(r, n, name, to);
}

const struct field output_settings_fields[] = {
	{ .name = "dir",
	    .kind = FIELD_OTHER,
	    .decode = output_settings_dir,
	    .offset = AT(h.output.dir),
	    .dflt = "off",
	    .expected = "an absolute path of a directory, or off",
	    .help = "Where everything that the program prints is kept, in a "
		    "file for each run, beside the log. Only its owner may "
		    "have the right to write there." },
	{ .name = "keep",
	    .kind = FIELD_DURATION,
	    .offset = AT(h.output.keep),
	    .min = 0,
	    .max = INT64_C(3650) * DAY,
	    .dflt = "7d",
	    .help = "Files of this job that are older are removed; 0: none "
		    "is, for its age." },
	{ .name = "max_files",
	    .kind = FIELD_INTEGER,
	    .offset = AT(h.output.max_files),
	    .min = 1,
	    .max = 50000,
	    .dflt = "1000",
	    .help = "How many files of this job there may be; the oldest go." },
	{ .name = "max_size",
	    .kind = FIELD_SIZE,
	    .offset = AT(h.output.max_size),
	    .min = 4096,
	    .max = INT64_C(1) << 40,
	    .dflt = "10M",
	    .help = "How large one file may become; the rest of the output is "
		    "left out of it." },
	{ .name = "max_total",
	    .kind = FIELD_SIZE,
	    .offset = AT(h.output.max_total),
	    .min = 0,
	    .max = INT64_C(1) << 50,
	    .dflt = "1G",
	    .help = "How large all files of this job may be together; the "
		    "oldest go. 0: no limit." },
	{ 0 },
};
