/*
 * verdict - what the end of a program means for its job.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/utf8.h"

enum {
	EXIT_NO_EXEC = 126,
	EXIT_NOT_FOUND = 127,
	LINE_MAX_BYTES = 1000, /* of the backtrace; the server keeps no more */
};

struct text {
	const char *bytes;
	size_t len;
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Cuts the last line that is more than space off *rest, without the space at
 * its end. False when there is none.
 */
static bool
last_line(struct text *rest, struct text *line)
{
	while (rest->len > 0 && is_space(rest->bytes[rest->len - 1]))
		rest->len--;
	if (rest->len == 0)
		return false;

	const char *lf = memrchr(rest->bytes, '\n', rest->len);
	const char *end = rest->bytes + rest->len;
	line->bytes = lf != NULL ? lf + 1 : rest->bytes;
	line->len = (size_t)(end - line->bytes);
	rest->len -= line->len;
	return true;
}

/*
 * Copies text as one line of valid UTF-8, as much as fits with its NUL: what
 * is no UTF-8 is replaced, and a control character becomes a space.
 */
static void
copy_clean(char *to, size_t size, struct text from)
{
	size_t used = 0;

	while (from.len > 0) {
		size_t step = utf8_step(from.bytes, from.len);
		unsigned char first = (unsigned char)from.bytes[0];
		const char *what = from.bytes;
		size_t len = step;

		if (step == 0) {
			what = UTF8_REPLACEMENT;
			len = strlen(what);
			step = 1;
		} else if (first < 0x20 || first == 0x7f) {
			what = " ";
		}
		if (len >= size - used)
			break;
		memcpy(to + used, what, len);
		used += len;
		from.bytes += step;
		from.len -= step;
	}
	to[used] = '\0';
}

static void
add(struct verdict *v, struct text text)
{
	size_t used = strlen(v->message);

	copy_clean(v->message + used, sizeof v->message - used, text);
}

/* For our own words; what others wrote is added by add(). */
static void __attribute__((format(printf, 2, 3)))
say(struct verdict *v, const char *fmt, ...)
{
	char words[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	add(v, (struct text){ words, strlen(words) });
}

static const char exit_status[] = "ExitStatus";

static void
set_errtype(struct verdict *v, const char *errtype)
{
	const struct text text = { errtype, strlen(errtype) };

	copy_clean(v->errtype, sizeof v->errtype, text);
}

/* What we did to it ourselves. */
static void
judge_stop(struct verdict *v, const struct run_facts *facts)
{
	static const struct {
		const char *errtype, *what;
	} stops[] = {
		[RUN_BY_ITSELF] = { "", "" },
		[RUN_TIMEOUT] = { "Timeout", "ran out of time" },
		[RUN_OUTPUT_LIMIT] = { "OutputLimit",
		    "wrote more than its output limit" },
		[RUN_STALLED] = { "Stalled", "showed no sign of life" },
		[RUN_SHUTDOWN] = { "Shutdown", "the supervisor shuts down" },
		[RUN_CANCELLED] = { "Cancelled", "cancelled" },
		[RUN_LOST] = { "ReservationLost", "its reservation is gone" },
	};

	set_errtype(v, stops[facts->reason].errtype);
	say(v, "stopped after %.1f s: %s",
	    (double)facts->elapsed / (double)CLOCK_NS_PER_S,
	    stops[facts->reason].what);
	if (facts->killed)
		say(v, "; TERM was not enough, so it was killed");
}

static void
judge_start(
    struct verdict *v, const struct run_facts *facts, const char *program)
{
	const struct spawn_failure *why = &facts->why;

	set_errtype(v, "HandlerUnavailable");
	add(v, (struct text){ program, strlen(program) });
	say(v, ": %s: %s", spawn_stage_name(why->stage),
	    facts->why_text != NULL ? facts->why_text : strerror(why->errnum));
}

static void
judge_signal(struct verdict *v, int status)
{
	int sig = WTERMSIG(status);
	const char *name = sigabbrev_np(sig);

	set_errtype(v, "Signal");
	if (name != NULL)
		say(v, "killed by SIG%s", name);
	else
		say(v, "killed by signal %d", sig);
	if (WCOREDUMP(status))
		say(v, " (core dumped)");
}

/* The kernel says so: KILL alone has many senders. */
static void
judge_memory(struct verdict *v)
{
	set_errtype(v, "MemoryLimit");
	say(v, "used more memory than memory_max and was killed");
}

static void
judge_exit(struct verdict *v, const struct run_facts *facts, struct text tail)
{
	int code = WEXITSTATUS(facts->status);
	struct text line;
	bool unavailable =
	    !facts->spoke && (code == EXIT_NO_EXEC || code == EXIT_NOT_FOUND);

	set_errtype(v, unavailable ? "HandlerUnavailable" : exit_status);
	say(v, "exit %d", code);
	if (!last_line(&tail, &line))
		return;
	while (is_space(line.bytes[0])) {
		line.bytes++;
		line.len--;
	}
	say(v, ": ");
	add(v, line);
}

/* A copy of one line, or NULL when memory is short. */
static char *
clean_line(struct text line)
{
	char clean[LINE_MAX_BYTES + 1];

	copy_clean(clean, sizeof clean, line);
	return strdup(clean);
}

static void
keep_backtrace(struct verdict *v, struct text tail)
{
	struct text lines[VERDICT_LINES_MAX];
	size_t n = 0;

	while (n < VERDICT_LINES_MAX && last_line(&tail, &lines[n]))
		n++;
	for (; n > 0; n--) {
		char *line = clean_line(lines[n - 1]);

		if (line != NULL)
			v->backtrace[v->nlines++] = line;
	}
}

void
verdict_reach(struct verdict *v, const struct run_facts *facts,
    const char *program, struct verdict_exit meaning)
{
	struct text tail = { facts->tail, facts->tail_len };

	*v = (struct verdict){ .kind = VERDICT_RETRY };
	if (facts->reason != RUN_BY_ITSELF && facts->started)
		judge_stop(v, facts);
	else if (!facts->started)
		judge_start(v, facts, program);
	else if (facts->out_of_memory && facts->status != 0)
		judge_memory(v);
	else if (WIFSIGNALED(facts->status))
		judge_signal(v, facts->status);
	else {
		v->kind = meaning.kind;
		v->retry_in =
		    meaning.kind == VERDICT_LATER ? meaning.retry_in : 0;
		if (meaning.kind != VERDICT_DONE)
			judge_exit(v, facts, tail);
	}
	if (v->kind != VERDICT_DONE)
		keep_backtrace(v, tail);
}

void
verdict_name(struct verdict *v, const struct trace *t)
{
	const struct text type = { t->type.bytes, t->type.len };
	const struct text message = { t->message.bytes, t->message.len };
	const struct text lines = { t->lines.bytes, t->lines.len };

	if (strcmp(v->errtype, exit_status) != 0)
		return;
	copy_clean(v->errtype, sizeof v->errtype, type);
	copy_clean(
	    v->message, sizeof v->message, message.len > 0 ? message : type);
	verdict_clear(v);
	keep_backtrace(v, lines);
}

/* An empty string, or one there is no memory for, changes nothing. */
static void
copy_string(char *to, size_t size, const struct json *string)
{
	char *bytes = malloc(string->len);
	ssize_t n = bytes != NULL
	    ? json_decode_string(string, bytes, string->len)
	    : -ENOMEM;

	if (n > 0)
		copy_clean(to, size, (struct text){ bytes, (size_t)n });
	free(bytes);
}

static void
take_backtrace(struct verdict *v, const struct json *lines)
{
	struct json_walk w = json_walk(lines);
	struct json line;

	verdict_clear(v);
	while (v->nlines < VERDICT_LINES_MAX && json_next_element(&w, &line)) {
		char clean[LINE_MAX_BYTES + 1] = "";

		copy_string(clean, sizeof clean, &line);
		char *copy = strdup(clean);
		if (copy != NULL)
			v->backtrace[v->nlines++] = copy;
	}
}

void
verdict_refine(struct verdict *v, const struct message *m)
{
	if (m->error.errtype.kind == JSON_STRING)
		copy_string(v->errtype, sizeof v->errtype, &m->error.errtype);
	if (m->error.message.kind == JSON_STRING)
		copy_string(v->message, sizeof v->message, &m->error.message);
	if (m->error.backtrace.kind == JSON_ARRAY)
		take_backtrace(v, &m->error.backtrace);
	if (m->error.retry == MESSAGE_DEAD)
		v->kind = VERDICT_DEAD;
	else if (m->error.retry == MESSAGE_DISCARD)
		v->kind = VERDICT_DISCARD;
	else if (m->error.retry_in >= 0 && v->kind == VERDICT_RETRY)
		v->kind = VERDICT_LATER;
	if (v->kind != VERDICT_LATER)
		v->retry_in = 0;
	else if (m->error.retry_in >= 0)
		v->retry_in = m->error.retry_in;
}

void
verdict_clear(struct verdict *v)
{
	for (size_t i = 0; i < v->nlines; i++)
		free(v->backtrace[i]);
	v->nlines = 0;
}

const char *
verdict_kind_name(enum verdict_kind kind)
{
	static const char *const names[] = {
		[VERDICT_DONE] = "done",
		[VERDICT_RETRY] = "retry",
		[VERDICT_LATER] = "later",
		[VERDICT_DEAD] = "dead",
		[VERDICT_DISCARD] = "discard",
	};

	return names[kind];
}
