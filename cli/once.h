/*
 * once - one program run to its end, on a loop of its own.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_ONCE_H
#define CLI_ONCE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "handlers/run.h"
#include "handlers/verdict.h"
#include "supervisor/invocation.h"
#include "supervisor/talk.h"
#include "supervisor/timeline.h"

struct once_result {
	struct run_facts facts; /* without its tail */
	struct verdict verdict; /* owned: verdict_clear() */
	struct talk talk;       /* over; owned: talk_clear() */
};

/*
 * Fills *v for a fresh private directory below the settings' tmpdir, then runs
 * it, in a control group of its own where there are such; what the
 * program prints goes to standard error as it comes. SIGINT and SIGTERM stop
 * the program. q is completed by tmpdir, all else is the caller's.
 * Returns 0; -EINVAL when the job does not fit the handler (BadArgument);
 * -ENOTSUP when its limits cannot be kept here;
 * another negative errno when nothing could be tried. *e is set then.
 */
int once_run(const struct settings *settings, struct invocation_request *q,
    const struct timeline *when, struct once_result *result, struct err *e);

#endif
