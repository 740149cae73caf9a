/*
 * judge - an exit status looked up, and the verdict reached.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/judge.h"

#include <sys/wait.h>

static struct verdict_exit
meaning_of(const struct handler *how, int status)
{
	static const enum verdict_kind kinds[] = {
		[EXIT_OK] = VERDICT_DONE,
		[EXIT_RETRY] = VERDICT_RETRY,
		[EXIT_LATER] = VERDICT_LATER,
		[EXIT_DEAD] = VERDICT_DEAD,
		[EXIT_DISCARD] = VERDICT_DISCARD,
	};
	const struct exit_code *code = &how->exit_codes.of[WEXITSTATUS(status)];

	return (struct verdict_exit){ kinds[code->action],
		code->retry_in >= 0 ? code->retry_in : how->later };
}

void
judge(
    struct verdict *v, const struct handler *how, const struct run_facts *facts)
{
	verdict_reach(v, facts, how->program, meaning_of(how, facts->status));
}
