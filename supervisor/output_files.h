/*
 * output_files - what each program prints, on its way into a file of its own.
 *
 * Lines go into a bounded bag; a thread writes them, so a disk that is slow,
 * full or dead delays no job. What the bag does not take is counted in the
 * file. Files are counted, aged and removed by that thread too.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OUTPUT_FILES_H
#define SUPERVISOR_OUTPUT_FILES_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "supervisor/job_log.h"

enum { OUTPUT_FILES_BAG = 8 * 1024 * 1024 }; /* bytes */

struct output_files;

/* Returns NULL when memory is short. */
struct output_files *output_files_new(struct ev_loop *loop);

/* Waits a second at most for the disk. Accepts NULL. */
void output_files_close(struct output_files *o);

/* What these settings want to be removed is looked for, now and later. */
void output_files_know(struct output_files *o, const struct settings *settings);

/* As journald_hold() and journald_go_on(): around exec. */
size_t output_files_hold(struct output_files *o);
void output_files_go_on(struct output_files *o);

/* The file of one dispatch. Zeroed: it has none. */
struct output_file {
	struct output_files *of; /* borrowed */
	uint64_t id;
	uint64_t missing; /* lines, not told in the file yet */
	bool told;        /* in the log, that there are some */
};

/*
 * Begins a file when how wants one; `again`: goes on in the one that an
 * earlier program of this process began. how and job are borrowed during the
 * call. of may be NULL.
 */
void output_file_begin(struct output_file *f, struct output_files *of,
    const struct handler *how, const struct job_log *job, bool again);

void output_file_line(struct output_file *f, const struct job_log *job,
    enum run_stream stream, const char *bytes, size_t len, bool more);

void output_file_end(struct output_file *f);

#endif
