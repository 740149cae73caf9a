/*
 * talk - what a running program says to us by messages, and what we make of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config/metric_names.h"
#include "supervisor/journald_entry.h"
#include "supervisor/metrics.h"

/* In which a percentage is carried to a successor. */
#define PERCENT_UNIT INT64_C(1000)

static void
ignore(struct talk *t, const char *why)
{
	int64_t now = clock_mono();

	t->ignored++;
	if (t->second == 0 || now - t->second >= CLOCK_NS_PER_S) {
		t->second = now;
		t->told = 0;
	}
	if (t->told++ >= TALK_COMPLAINTS)
		return;
	job_log_say(t->parts.log, LOG_LEVEL_WARNING, NULL,
	    "a message is ignored: %s", why);
}

static void
set_stall(struct talk *t, int64_t left)
{
	ev_timer_stop(t->parts.loop, &t->stall);
	ev_timer_set(&t->stall,
	    left > 0 ? (double)left / (double)CLOCK_NS_PER_S : 0., 0.);
	ev_timer_start(t->parts.loop, &t->stall);
}

/* A sign of life only notes its time: a flood of them moves no timer. */
static void
on_stall(struct ev_loop *loop, ev_timer *w, int events)
{
	struct talk *t = w->data;
	int64_t left = t->alive + t->parts.how->stall_timeout - clock_mono();

	(void)loop;
	(void)events;
	if (left > 0)
		set_stall(t, left);
	else
		run_stop(t->parts.run, RUN_STALLED, t->parts.grace);
}

/* A copy is read again: what was read before points into a passing line. */
static void
take_error(struct talk *t, const char *line, size_t len)
{
	const char *why;
	char *copy = malloc(len);

	if (copy == NULL)
		return;
	memcpy(copy, line, len);
	free(t->error_line);
	t->error_line = NULL;
	if (message_read(&t->error, copy, len, &why) == 0) {
		t->error_line = copy;
		t->error_len = len;
	} else {
		free(copy);
	}
}

void
talk_start(struct talk *t, const struct talk_parts *parts)
{
	int64_t now = clock_mono(), carried = t->parts.deadline;

	t->parts = *parts;
	if (t->began != 0) {
		t->parts.deadline = carried;
	} else {
		t->began = t->alive = now;
		t->percent = -1;
	}
	ev_init(&t->stall, on_stall);
	t->stall.data = t;
	if (parts->how->stall_timeout > 0)
		set_stall(t, t->alive + parts->how->stall_timeout - now);
}

void
talk_save(const struct talk *t, struct state_writer *w)
{
	state_put_int(w, t->began);
	state_put_int(w, t->alive);
	state_put_int(w, t->parts.deadline);
	state_put_int(w, t->within);
	state_put_int(w, (int64_t)t->ignored);
	state_put_int(w, t->progressed);
	state_put_int(w, (int64_t)(t->percent * (double)PERCENT_UNIT));
	state_put_text(w, t->desc);
	state_put_text(w, t->result);
	state_put_bytes(
	    w, t->error_line, t->error_line != NULL ? t->error_len : 0);
	followups_save(&t->then, w);
	printed_save(&t->printed, w);
}

void
talk_load(struct talk *t, struct state_reader *r)
{
	size_t len;

	t->began = state_get_int(r);
	t->alive = state_get_int(r);
	t->parts.deadline = state_get_int(r);
	t->within = state_get_within(r, 0, 1) != 0;
	t->ignored = (uint64_t)state_get_within(r, 0, INT64_MAX);
	t->progressed = state_get_within(r, 0, 1) != 0;
	t->percent =
	    (double)state_get_within(r, -PERCENT_UNIT, 100 * PERCENT_UNIT) /
	    (double)PERCENT_UNIT;
	char *desc = state_get_text(r);
	if (desc != NULL)
		snprintf(t->desc, sizeof t->desc, "%s", desc);
	free(desc);
	t->result = state_get_text(r);
	const char *line = state_get_bytes(r, &len);
	if (line != NULL && len > 0)
		take_error(t, line, len);
	followups_load(&t->then, r);
	printed_load(&t->printed, r);
}

static void
take_progress(struct talk *t, const struct message *m)
{
	const struct json *desc = &m->progress.desc;

	t->alive = clock_mono();
	t->progressed = true;
	if (m->progress.percent >= 0)
		t->percent = m->progress.percent;
	if (desc->kind == JSON_STRING) {
		char *text = malloc(desc->len);
		ssize_t n = text != NULL
		    ? json_decode_string(desc, text, desc->len)
		    : -1;
		size_t len =
		    n > 0 ? utf8_cut(text, (size_t)n, sizeof t->desc - 1) : 0;

		if (len > 0)
			memcpy(t->desc, text, len);
		t->desc[len] = '\0';
		free(text);
	}
	if (log_wants(LOG_LEVEL_DEBUG) && output_may_pass(t->parts.output))
		job_log_say(t->parts.log, LOG_LEVEL_DEBUG, NULL,
		    "progress %g %s", t->percent, t->desc);
}

/* Never beyond what the operator and the reservation allow. */
static void
take_extend(struct talk *t, const struct message *m)
{
	int64_t most = t->began + t->parts.how->max_timeout;
	int64_t asked = clock_mono() + m->extend.ns;

	if (most > t->parts.latest)
		most = t->parts.latest;
	if (asked <= t->parts.deadline)
		return;
	if (most <= t->parts.deadline) {
		if (!output_may_pass(t->parts.output))
			return;
		job_log_say(t->parts.log, LOG_LEVEL_WARNING, NULL,
		    "%lld s more are refused: %s; the deadline stands",
		    (long long)(m->extend.ns / CLOCK_NS_PER_S),
		    t->parts.deadline >= t->parts.latest
			? "the job's reservation ends"
			: "max_timeout does not allow it");
		return;
	}
	t->parts.deadline = asked < most ? asked : most;
	run_set_deadline(t->parts.run, t->parts.deadline);
	if (!output_may_pass(t->parts.output))
		return;
	job_log_say(t->parts.log, LOG_LEVEL_INFO, NULL,
	    "the deadline is %.1f s away now, as the program asked%s",
	    (double)(t->parts.deadline - clock_mono()) / (double)CLOCK_NS_PER_S,
	    asked > most ? ", in part" : "");
}

/* What keeps a line of the log readable, and is none of our own names. */
static bool
name_fits(const char *name, size_t len)
{
	if (len == 0 || len > TALK_NAME_MAX ||
	    (name[0] >= '0' && name[0] <= '9') ||
	    journald_entry_owns(name, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

/* A string as its bytes, anything else as JSON; owned, NULL without memory. */
static char *
text_of(const struct json *value)
{
	char *text = malloc(value->len + 1);
	size_t len = value->len;

	if (text == NULL)
		return NULL;
	if (value->kind == JSON_STRING) {
		ssize_t n = json_decode_string(value, text, len);

		len = n > 0 ? (size_t)n : 0;
	} else {
		memcpy(text, value->text, len);
	}
	text[len] = '\0';
	return text;
}

/* Appends to tags what fits; both strings of each are owned by the caller. */
static size_t
take_fields(struct log_tag *tags, const struct json *fields)
{
	struct json_walk w = json_walk(fields);
	struct json key, value;
	const char *name;
	size_t len, n = 0;

	while (n < TALK_FIELDS_MAX && json_next_member(&w, &key, &value)) {
		if (!json_plain_string(&key, &name, &len) ||
		    !name_fits(name, len))
			continue;
		char *owned = strndup(name, len);
		char *text = text_of(&value);
		if (owned == NULL || text == NULL) {
			free(owned);
			free(text);
			break;
		}
		tags[n++] = (struct log_tag){ owned, text };
	}
	return n;
}

static void
take_log(struct talk *t, const struct message *m)
{
	struct log_tag fields[TALK_FIELDS_MAX];
	size_t n = 0;

	if (!log_wants(m->log.level) || !output_may_pass(t->parts.output))
		return;
	if (m->log.fields.kind == JSON_OBJECT)
		n = take_fields(fields, &m->log.fields);
	char *text = text_of(&m->log.msg);
	if (text != NULL)
		job_log_message(
		    t->parts.log, m->log.level, fields, n, text, strlen(text));
	free(text);
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)fields[i].key);
		free((void *)(uintptr_t)fields[i].value);
	}
}

static void
take_result(struct talk *t, const struct message *m)
{
	size_t limit = (size_t)t->parts.how->result_limit;
	struct buf *b = buf_new(limit + 1);
	bool fits = b != NULL && json_put_compact(b, &m->result.value) == 0 &&
	    buf_len(b) <= limit;

	if (fits) {
		free(t->result);
		t->result = strndup(buf_front(b), buf_len(b));
	} else {
		ignore(t, "value: more than result_limit");
	}
	buf_free(b);
}

/* What is told here for each refusal fails the job in the end. */
static void
take_push(struct talk *t, const struct message *m)
{
	const struct followups_limits limits = {
		.count = (size_t)t->parts.how->push_max,
		.bytes = (size_t)t->parts.how->push_size,
	};
	bool first = talk_refusal(t) == NULL;

	if (followups_take(
		&t->then, &m->push.job, t->parts.dispatch, &limits) == 0 ||
	    !first)
		return;
	job_log_say(t->parts.log, LOG_LEVEL_WARNING, NULL,
	    "a job cannot be pushed, so this one cannot succeed: %s",
	    t->then.why);
}

static void
take_metric(struct talk *t, const struct message *m)
{
	const struct metric_name *declared = NULL;
	const char *name;
	size_t len;

	if (json_plain_string(&m->metric.name, &name, &len))
		declared = metric_names_find(t->parts.how->metrics, name, len);
	if (declared == NULL)
		ignore(t, "metric: its name is not among `metrics`");
	else if (m->metric.kind ==
	    (declared->gauge ? MESSAGE_COUNT : MESSAGE_GAUGE))
		ignore(t, "metric: it is declared as another kind");
	else if (!declared->gauge && m->metric.value < 0.)
		ignore(t, "metric: a counter never shrinks");
	else
		/* One that found no place was told of at the start. */
		(void)metrics_report(t->parts.metrics, t->parts.how->jobtype,
		    declared->name, m->metric.value);
}

static void
take(struct talk *t, const struct message *m, const char *line, size_t len)
{
	switch (m->kind) {
	case MESSAGE_PROGRESS:
		take_progress(t, m);
		break;
	case MESSAGE_HEARTBEAT:
		t->alive = clock_mono();
		break;
	case MESSAGE_EXTEND:
		take_extend(t, m);
		break;
	case MESSAGE_LOG:
		take_log(t, m);
		break;
	case MESSAGE_RESULT:
		take_result(t, m);
		break;
	case MESSAGE_ERROR:
		take_error(t, line, len);
		break;
	case MESSAGE_PUSH:
		take_push(t, m);
		break;
	case MESSAGE_METRIC:
		take_metric(t, m);
		break;
	}
}

void
talk_line(struct talk *t, const char *bytes, size_t len, bool more)
{
	bool rest = t->within;
	struct message m;
	const char *why;

	t->within = more;
	if (rest)
		return; /* told with its first piece */
	if (more)
		ignore(t, "longer than message_max");
	else if (message_read(&m, bytes, len, &why) < 0)
		ignore(t, why);
	else
		take(t, &m, bytes, len);
}

void
talk_print(struct talk *t, const char *bytes, size_t len, bool more)
{
	printed_line(
	    &t->printed, (size_t)t->parts.how->result_limit, bytes, len, more);
}

/* A message that gave a result meant it more than what was printed. */
static void
take_printed(struct talk *t, bool output_cut)
{
	size_t limit = (size_t)t->parts.how->result_limit;

	if (!t->parts.how->stdout_result || t->result != NULL)
		return;
	if (!output_cut)
		t->result = printed_value(&t->printed, limit);
	if (!output_cut && !t->printed.over)
		return;
	job_log_say(t->parts.log, LOG_LEVEL_WARNING, NULL,
	    "what it printed is more than %s; it has no result",
	    output_cut ? "output_limit" : "result_limit");
}

void
talk_end(struct talk *t, bool output_cut)
{
	if (t->parts.loop == NULL)
		return;
	ev_timer_stop(t->parts.loop, &t->stall);
	take_printed(t, output_cut);
	if (t->ignored > TALK_COMPLAINTS)
		job_log_say(t->parts.log, LOG_LEVEL_WARNING, NULL,
		    "%llu messages were ignored in all",
		    (unsigned long long)t->ignored);
}

const struct message *
talk_error(const struct talk *t)
{
	return t->error_line != NULL ? &t->error : NULL;
}

const char *
talk_refusal(const struct talk *t)
{
	return t->then.why[0] != '\0' ? t->then.why : NULL;
}

void
talk_tell_unused(const struct talk *t)
{
	if (t->error_line == NULL)
		return;
	char *text = t->error.error.message.kind == JSON_STRING
	    ? text_of(&t->error.error.message)
	    : NULL;
	job_log_say(t->parts.log, LOG_LEVEL_WARNING, NULL,
	    "its exit status says done, so the error it told of is ignored: "
	    "%s",
	    text != NULL ? text : "without words");
	free(text);
}

void
talk_clear(struct talk *t)
{
	free(t->result);
	free(t->error_line);
	t->result = NULL;
	t->error_line = NULL;
	followups_clear(&t->then);
	printed_clear(&t->printed);
}
