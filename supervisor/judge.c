/*
 * judge - an exit status looked up, and the verdict reached.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/utf8.h"
#include "config/patterns.h"

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

/* Without memory nothing is said rather than too much. */
static void
redact_text(const struct patterns *p, char *text, size_t size)
{
	char *clean = patterns_redact(p, text);
	size_t len = clean != NULL ? strlen(clean) : 0;

	len = clean != NULL ? utf8_cut(clean, len, size - 1) : 0;
	if (len > 0)
		memcpy(text, clean, len);
	text[len] = '\0';
	free(clean);
}

static void
redact(struct verdict *v, const struct patterns *p)
{
	size_t kept = 0;

	redact_text(p, v->errtype, sizeof v->errtype);
	redact_text(p, v->message, sizeof v->message);
	for (size_t i = 0; i < v->nlines; i++) {
		char *clean = patterns_redact(p, v->backtrace[i]);

		free(v->backtrace[i]);
		if (clean != NULL)
			v->backtrace[kept++] = clean;
	}
	v->nlines = kept;
}

static bool
failed_by_status(const struct verdict *v, const struct run_facts *facts)
{
	return v->kind != VERDICT_DONE && facts->started &&
	    facts->reason == RUN_BY_ITSELF && WIFEXITED(facts->status);
}

static void
refuse(struct verdict *v, const char *why)
{
	v->kind = VERDICT_RETRY;
	snprintf(v->errtype, sizeof v->errtype, "PushRefused");
	size_t len = utf8_cut(why, strlen(why), sizeof v->message - 1);
	memcpy(v->message, why, len);
	v->message[len] = '\0';
}

void
judge(struct verdict *v, const struct handler *how,
    const struct run_facts *facts, const struct message *error,
    const char *refusal)
{
	verdict_reach(v, facts, how->program, meaning_of(how, facts->status));
	name_error(v, how, facts);
	if (error != NULL && failed_by_status(v, facts))
		verdict_refine(v, error);
	if (refusal != NULL && v->kind == VERDICT_DONE)
		refuse(v, refusal);
	if (how->redact != NULL)
		redact(v, how->redact);
}
