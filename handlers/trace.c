/*
 * trace - one recogniser for each kind, over the text cut into lines.
 *
 * Each looks for the last trace from the end of the text, and walks up to the
 * line that names the error. Words of the program itself stand between these
 * lines, so nothing is trusted to be there: a walk has a limit.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/trace.h"

#include <string.h>

#include "handlers/trace_text.h"

enum { WALK_MAX = 20 }; /* lines of one message */

/* Lines first to last, both included. */
static void
set_lines(
    struct trace *out, const struct trace_text *t, size_t first, size_t last)
{
	const struct trace_span *end = &t->lines[last];

	out->lines.bytes = t->lines[first].bytes;
	out->lines.len =
	    (size_t)(end->bytes + end->len - t->lines[first].bytes);
}

/* "Type: message" or "Type" alone; the type is n bytes long. */
static bool
split(struct trace_span s, size_t n, struct trace *out)
{
	if (n == 0 || (s.len > n && s.bytes[n] != ':'))
		return false;
	if (s.len > n + 1 && s.bytes[n + 1] != ' ')
		return false;
	out->type = (struct trace_span){ s.bytes, n };
	out->message = span_skip(s, s.len > n + 1 ? n + 2 : s.len);
	return true;
}

/* ---- Python --------------------------------------------------------------- */

static bool
python_error(struct trace_span line, struct trace *out)
{
	return split(line, span_word(line, "."), out);
}

/* From the header to the first line that is not indented. */
static bool
python_after(const struct trace_text *t, size_t header, struct trace *out)
{
	for (size_t i = header + 1; i < t->count; i++) {
		struct trace_span line = t->lines[i];

		if (line.len == 0 || line.bytes[0] == ' ')
			continue;
		if (!python_error(line, out))
			return false;
		set_lines(out, t, header, i);
		return true;
	}
	return false;
}

/* An exception group draws a frame around everything. */
static bool
python_group(const struct trace_text *t, size_t header, struct trace *out)
{
	static const char frame[] = "  | ";

	for (size_t i = header + 1; i < t->count; i++) {
		struct trace_span line = t->lines[i];

		if (!span_starts(line, frame))
			return false;
		line = span_skip(line, sizeof frame - 1);
		if (line.len == 0 || line.bytes[0] == ' ')
			continue;
		if (!python_error(line, out))
			return false;
		set_lines(out, t, header, t->count - 1);
		return true;
	}
	return false;
}

/* What the compiler refuses has no header. */
static bool
python_syntax(const struct trace_text *t, struct trace *out)
{
	for (size_t i = t->count; i-- > 0;) {
		if (!span_starts(t->lines[i], "  File \""))
			continue;
		for (size_t k = i + 1; k < t->count && k <= i + 4; k++)
			if (t->lines[k].len > 0 &&
			    t->lines[k].bytes[0] != ' ' &&
			    python_error(t->lines[k], out)) {
				set_lines(out, t, i, k);
				return true;
			}
		return false;
	}
	return false;
}

static bool
find_python(const struct trace_text *t, struct trace *out)
{
	static const char header[] = "Traceback (most recent call last):";
	static const char group[] =
	    "  + Exception Group Traceback (most recent call last):";

	for (size_t i = t->count; i-- > 0;) {
		if (span_starts(t->lines[i], header))
			return python_after(t, i, out);
		if (span_starts(t->lines[i], group))
			return python_group(t, i, out);
	}
	return python_syntax(t, out);
}

/* ---- Java ----------------------------------------------------------------- */

static bool
java_frame(struct trace_span line)
{
	size_t n = 0;

	while (n < line.len && (line.bytes[n] == '\t' || line.bytes[n] == ' '))
		n++;
	line = span_skip(line, n);
	return n > 0 && (span_starts(line, "at ") || span_starts(line, "... "));
}

static bool
java_inner(struct trace_span line)
{
	size_t n = 0;

	while (n < line.len && line.bytes[n] == '\t')
		n++;
	line = span_skip(line, n);
	return span_starts(line, "Caused by: ") ||
	    span_starts(line, "Suppressed: ");
}

static bool
java_error(struct trace_span line, struct trace *out)
{
	static const char thread[] = "Exception in thread \"";

	if (span_starts(line, thread)) {
		size_t quote =
		    span_find(span_skip(line, sizeof thread - 1), "\" ");

		if (quote == SIZE_MAX)
			return false;
		line = span_skip(line, sizeof thread - 1 + quote + 2);
	}
	struct trace_span name = { line.bytes, span_word(line, ".$") };
	if (span_find(name, ".") == SIZE_MAX && !span_ends(name, "Exception") &&
	    !span_ends(name, "Error"))
		return false;
	return split(line, name.len, out);
}

/*
 * Up from the last frame: over frames and inner causes, to the line that
 * names the error the program ended with. A message may have several lines.
 */
static bool
find_java(const struct trace_text *t, struct trace *out)
{
	size_t last = t->count, walked = 0;

	while (last > 0 && !java_frame(t->lines[last - 1]))
		last--;
	for (size_t i = last; i-- > 0 && walked < WALK_MAX; walked++) {
		if (java_frame(t->lines[i]) || java_inner(t->lines[i])) {
			walked = 0;
		} else if (java_error(t->lines[i], out)) {
			set_lines(out, t, i, last - 1);
			return true;
		}
	}
	return false;
}

/* ---- Ruby ----------------------------------------------------------------- */

/* "file.rb:3:in `f': message (Type)"; from Ruby 3.4 on "in 'f'". */
static bool
ruby_error(struct trace_span line, struct trace *out)
{
	size_t in = span_find(line, ":in "), from, paren;

	if (in == SIZE_MAX || in == 0 || line.bytes[0] == '\t' ||
	    line.bytes[in - 1] < '0' || line.bytes[in - 1] > '9')
		return false;
	from = span_find(span_skip(line, in), "': ");
	if (from == SIZE_MAX)
		return false;
	line = span_skip(line, in + from + 3);
	if (span_ends(line, "unhandled exception")) {
		out->type = (struct trace_span){ "RuntimeError", 12 };
		out->message = line;
		return true;
	}
	paren = span_find_last(line, " (");
	if (paren == SIZE_MAX || !span_ends(line, ")"))
		return false;
	out->type = span_skip(line, paren + 2);
	out->type.len--;
	out->message = (struct trace_span){ line.bytes, paren };
	return out->type.len > 0 && span_word(out->type, ":") == out->type.len;
}

static bool
ruby_frame(struct trace_span line)
{
	return span_starts(line, "\tfrom ");
}

/* The error comes first, then what caused it, each with its frames. */
static bool
find_ruby(const struct trace_text *t, struct trace *out)
{
	struct trace found, above;
	size_t first = t->count;

	while (first > 0 && !ruby_error(t->lines[first - 1], &found))
		first--;
	if (first-- == 0)
		return false;
	for (size_t i = first; i > 0; i--) {
		if (ruby_error(t->lines[i - 1], &above)) {
			found = above;
			first = i - 1;
		} else if (!ruby_frame(t->lines[i - 1])) {
			break;
		}
	}
	size_t last = first;
	while (last + 1 < t->count &&
	    (ruby_frame(t->lines[last + 1]) ||
		ruby_error(t->lines[last + 1], &above)))
		last++;
	out->type = found.type;
	out->message = found.message;
	set_lines(out, t, first, last);
	return true;
}

/* ---- Go ------------------------------------------------------------------- */

static bool
go_error(struct trace_span line, struct trace *out)
{
	static const char *const words[] = {
		"panic: runtime error: ", "panic: ", "fatal error: "
	};
	static const char *const types[] = { "runtime error", "panic",
		"fatal error" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!span_starts(line, words[i]))
			continue;
		out->type = (struct trace_span){ types[i], strlen(types[i]) };
		out->message = span_skip(line, strlen(words[i]));
		size_t note = span_find_last(out->message, " [recovered");
		if (note != SIZE_MAX && span_ends(out->message, "]"))
			out->message.len = note;
		return true;
	}
	return false;
}

static bool
find_go(const struct trace_text *t, struct trace *out)
{
	for (size_t i = t->count; i-- > 0;) {
		if (!go_error(t->lines[i], out))
			continue;
		for (size_t k = i + 1; k < t->count && k <= i + WALK_MAX; k++)
			if (span_starts(t->lines[k], "goroutine ")) {
				set_lines(out, t, i, t->count - 1);
				return true;
			}
	}
	return false;
}

/* ---- Node ----------------------------------------------------------------- */

static bool
node_frame(struct trace_span line)
{
	return span_starts(line, "    at ") || span_starts(line, "    ... ");
}

/* "TypeError: message", "Error [ERR_SOMETHING]: message". */
static bool
node_error(struct trace_span line, struct trace *out)
{
	line = span_without(line, "Uncaught ");
	if (line.len == 0 || line.bytes[0] < 'A' || line.bytes[0] > 'Z')
		return false;
	size_t n = span_word(line, "$");
	if (span_starts(span_skip(line, n), " [")) {
		size_t close = span_find(span_skip(line, n), "]");

		if (close == SIZE_MAX)
			return false;
		n += close + 1;
	}
	return split(line, n, out);
}

static bool
find_node(const struct trace_text *t, struct trace *out)
{
	size_t last = t->count;

	while (last > 0 && !node_frame(t->lines[last - 1]))
		last--;
	size_t first = last;
	while (first > 0 && node_frame(t->lines[first - 1]))
		first--;
	for (size_t i = first; i-- > 0 && i + WALK_MAX >= first;)
		if (node_error(t->lines[i], out)) {
			set_lines(out, t, i, last - 1);
			return true;
		}
	return false;
}

/* ---- PHP ------------------------------------------------------------------ */

/* "Type: message in /file.php:3"; also " on line 3". */
static bool
php_error(struct trace_span line, struct trace *out)
{
	if (!split(line, span_word(line, "\\"), out))
		return false;
	size_t in = span_find_last(out->message, " in ");
	if (in != SIZE_MAX)
		out->message.len = in;
	return true;
}

/* After "PHP Fatal error:  ", with or without a time in front of it. */
static bool
php_header(struct trace_span line, struct trace *out)
{
	static const char *const words[] = { "Fatal error", "Parse error",
		"Recoverable fatal error" };

	if (span_starts(line, "[")) {
		size_t close = span_find(line, "] ");

		if (close != SIZE_MAX)
			line = span_skip(line, close + 2);
	}
	line = span_without(line, "PHP ");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t n = strlen(words[i]);

		if (!span_starts(line, words[i]) ||
		    !span_starts(span_skip(line, n), ": "))
			continue;
		struct trace_span rest =
		    span_without(span_skip(line, n + 2), " ");
		if (span_starts(rest, "Uncaught "))
			return php_error(span_without(rest, "Uncaught "), out);
		out->type = (struct trace_span){ line.bytes, n };
		out->message = rest;
		size_t in = span_find_last(rest, " in ");
		if (in != SIZE_MAX)
			out->message.len = in;
		return true;
	}
	return false;
}

/* An exception with a cause: the cause first, then "Next" and itself. */
static bool
find_php(const struct trace_text *t, struct trace *out)
{
	size_t i = t->count, last;

	while (i > 0 && !php_header(t->lines[i - 1], out))
		i--;
	if (i == 0)
		return false;
	size_t first = last = i - 1;
	for (size_t k = first + 1; k < t->count; k++) {
		struct trace next;

		if (span_starts(t->lines[k], "Next ") &&
		    php_error(span_without(t->lines[k], "Next "), &next)) {
			out->type = next.type;
			out->message = next.message;
		}
		last = k;
		if (span_starts(t->lines[k], "  thrown in "))
			break;
	}
	set_lines(out, t, first, last);
	return true;
}

/* ---- all ------------------------------------------------------------------ */

bool
trace_find(
    enum trace_kind kind, const char *text, size_t len, struct trace *out)
{
	static bool (*const finders[])(
	    const struct trace_text *, struct trace *) = {
		[TRACE_PYTHON] = find_python,
		[TRACE_JAVA] = find_java,
		[TRACE_RUBY] = find_ruby,
		[TRACE_GO] = find_go,
		[TRACE_NODE] = find_node,
		[TRACE_PHP] = find_php,
	};
	struct trace_text t;
	struct trace found;

	trace_text_cut(&t, text, len);
	if (!finders[kind](&t, &found))
		return false;
	*out = found;
	return true;
}
