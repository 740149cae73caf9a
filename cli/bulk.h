/*
 * bulk - push many jobs, one line of JSON each, as fast as they are written.
 *
 * Lines are gathered into PUSHB commands of at most BULK_JOBS jobs and about
 * BULK_BYTES; when no more input is waiting, what is there is sent, so that a
 * slow writer's jobs do not wait for company. What is wrong with a line is
 * told on standard error with its number, and the others go on.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_BULK_H
#define CLI_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/connection.h"
#include "cli/draft.h"

enum {
	BULK_JOBS = 1000,
	BULK_BYTES = 1024 * 1024,
	BULK_LINE_MAX = 64 * 1024 * 1024,
};

struct bulk_result {
	int64_t pushed;
	int64_t refused;   /* never acceptable as they are */
	int64_t postponed; /* could not be pushed, may be tried again */
	bool broken;       /* the input was not read to its end */
};

/*
 * Reads fd to its end. d gives what a line does not say. Returns 0 when all
 * of the input was dealt with, or -ENOMEM or -errno of reading, told too.
 */
int bulk_push(struct connection *c, int fd, const struct draft *d,
    struct bulk_result *result);

/*
 * Whether an error of the server's says that the job itself is at fault: then
 * trying again is of no use. Unknown words count as temporary.
 */
bool bulk_is_refusal(const char *text, size_t len);

#endif
