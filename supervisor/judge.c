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

/* The error's own name, when the operator said whose traces to look for. */
static void
name_error(
    struct verdict *v, const struct handler *how, const struct run_facts *facts)
{
	static const enum trace_kind kinds[] = {
		[PARSE_PYTHON] = TRACE_PYTHON,
		[PARSE_JAVA] = TRACE_JAVA,
		[PARSE_RUBY] = TRACE_RUBY,
		[PARSE_GO] = TRACE_GO,
		[PARSE_NODE] = TRACE_NODE,
		[PARSE_PHP] = TRACE_PHP,
	};
	struct trace t;

	if (v->kind != VERDICT_DONE && how->error_parser != PARSE_NONE &&
	    trace_find(
		kinds[how->error_parser], facts->tail, facts->tail_len, &t))
		verdict_name(v, &t);
}

void
judge(
    struct verdict *v, const struct handler *how, const struct run_facts *facts)
{
	verdict_reach(v, facts, how->program, meaning_of(how, facts->status));
	name_error(v, how, facts);
}
