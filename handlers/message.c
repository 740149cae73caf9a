/*
 * message - one line that a program wrote for its supervisor.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/message.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"

enum { NS_PER_US = 1000 };

/* Members of one message, while they are read. */
struct reading {
	const struct json *object;
	const char *why; /* NULL while nothing is wrong */
};

static void
complain(struct reading *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
}

static struct json
given(const struct reading *r, const char *name)
{
	struct json value = json_get(r->object, name);

	if (value.kind == JSON_NULL)
		value.kind = JSON_NONE;
	return value;
}

static struct json
expect(
    struct reading *r, const char *name, enum json_kind kind, const char *why)
{
	struct json value = given(r, name);

	if (value.kind != JSON_NONE && value.kind != kind)
		complain(r, why);
	return value;
}

static struct json
demand(
    struct reading *r, const char *name, enum json_kind kind, const char *why)
{
	struct json value = given(r, name);

	if (value.kind != kind)
		complain(r, why);
	return value;
}

static bool
is(const struct json *string, const char *text)
{
	return string->kind == JSON_STRING &&
	    json_string_is(string, text, strlen(text));
}

/* A number from low to high; `absent` when there is none. */
static double
number(struct reading *r, const char *name, double low, double high,
    double absent, const char *why)
{
	struct json value = given(r, name);
	double n;

	if (value.kind == JSON_NONE)
		return absent;
	if (json_double(&value, &n) < 0 || !isfinite(n) || n < low ||
	    n > high) {
		complain(r, why);
		return absent;
	}
	return n + 0.; /* no negative zero */
}

/*
 * Seconds, as nanoseconds: whole microseconds, which a double tells apart up
 * to MESSAGE_SECONDS_MAX.
 */
static int64_t
to_ns(double seconds)
{
	return (int64_t)(seconds * 1e6 + .5) * NS_PER_US;
}

static void
read_progress(struct reading *r, struct message *m)
{
	m->progress.percent = number(r, "percent", 0., 100., -1.,
	    "percent: a number from 0 to 100 is expected");
	m->progress.desc =
	    expect(r, "desc", JSON_STRING, "desc: a string is expected");
	if (m->progress.percent < 0. && m->progress.desc.kind == JSON_NONE)
		complain(r, "percent or desc is expected");
}

static void
read_heartbeat(struct reading *r, struct message *m)
{
	(void)r;
	(void)m;
}

static void
read_extend(struct reading *r, struct message *m)
{
	static const char why[] = "seconds: a number above 0 is expected";

	m->extend.ns =
	    to_ns(number(r, "seconds", 0., MESSAGE_SECONDS_MAX, 0., why));
	if (m->extend.ns <= 0)
		complain(r, why);
}

static const char *const levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

enum { NLEVELS = sizeof levels / sizeof levels[0] };

static void
read_log(struct reading *r, struct message *m)
{
	struct json level = given(r, "level");
	size_t i = LOG_LEVEL_INFO;

	if (level.kind != JSON_NONE)
		for (i = 0; i < NLEVELS && !is(&level, levels[i]); i++)
			;
	if (i == NLEVELS)
		complain(r, "level: error, warning, info or debug is expected");
	m->log.level = (enum log_level)i;
	m->log.msg = demand(r, "msg", JSON_STRING, "msg: a string is expected");
	m->log.fields =
	    expect(r, "fields", JSON_OBJECT, "fields: an object is expected");
}

/* Here null is a value. */
static void
read_result(struct reading *r, struct message *m)
{
	m->result.value = json_get(r->object, "value");
	if (m->result.value.kind == JSON_NONE)
		complain(r, "value is expected");
}

static enum message_retry
read_retry(struct reading *r)
{
	struct json retry = given(r, "retry");

	if (retry.kind == JSON_NONE || retry.kind == JSON_TRUE)
		return MESSAGE_RETRY;
	if (retry.kind == JSON_FALSE)
		return MESSAGE_DEAD;
	if (!is(&retry, "discard"))
		complain(r, "retry: true, false or \"discard\" is expected");
	return MESSAGE_DISCARD;
}

static void
read_error(struct reading *r, struct message *m)
{
	static const char lines[] = "backtrace: a list of strings is expected";
	static const char when[] = "retry_in: a number of seconds is expected";
	struct json line;

	m->error.errtype =
	    expect(r, "errtype", JSON_STRING, "errtype: a string is expected");
	m->error.message =
	    expect(r, "message", JSON_STRING, "message: a string is expected");
	m->error.backtrace = expect(r, "backtrace", JSON_ARRAY, lines);
	m->error.retry = read_retry(r);
	double wait = number(r, "retry_in", 0., MESSAGE_SECONDS_MAX, -1., when);
	m->error.retry_in = wait < 0. ? -1 : to_ns(wait);

	if (m->error.backtrace.kind != JSON_ARRAY)
		return;
	struct json_walk w = json_walk(&m->error.backtrace);
	while (json_next_element(&w, &line))
		if (line.kind != JSON_STRING)
			complain(r, lines);
}

static void
read_push(struct reading *r, struct message *m)
{
	m->push.job =
	    demand(r, "job", JSON_OBJECT, "job: an object is expected");
}

static void
read_metric(struct reading *r, struct message *m)
{
	struct json kind = given(r, "kind");

	m->metric.name =
	    demand(r, "name", JSON_STRING, "name: a string is expected");
	m->metric.value = number(r, "value", -HUGE_VAL, HUGE_VAL, NAN,
	    "value: a number is expected");
	if (isnan(m->metric.value))
		complain(r, "value: a number is expected");
	m->metric.kind = MESSAGE_AS_DECLARED;
	if (is(&kind, "count"))
		m->metric.kind = MESSAGE_COUNT;
	else if (is(&kind, "gauge"))
		m->metric.kind = MESSAGE_GAUGE;
	else if (kind.kind != JSON_NONE)
		complain(r, "kind: count or gauge is expected");
}

static const struct {
	const char *name;
	void (*read)(struct reading *r, struct message *m);
} kinds[] = {
	[MESSAGE_PROGRESS] = { "progress", read_progress },
	[MESSAGE_HEARTBEAT] = { "heartbeat", read_heartbeat },
	[MESSAGE_EXTEND] = { "extend", read_extend },
	[MESSAGE_LOG] = { "log", read_log },
	[MESSAGE_RESULT] = { "result", read_result },
	[MESSAGE_ERROR] = { "error", read_error },
	[MESSAGE_PUSH] = { "push", read_push },
	[MESSAGE_METRIC] = { "metric", read_metric },
};

enum { NKINDS = sizeof kinds / sizeof kinds[0] };

const char *
message_kind_name(enum message_kind kind)
{
	return kinds[kind].name;
}

int
message_read(struct message *m, const char *line, size_t len, const char **why)
{
	struct json object;
	struct reading r = { .object = &object };
	size_t kind = 0;

	memset(m, 0, sizeof *m);
	if (json_check(line, len, &object, NULL) < 0 ||
	    object.kind != JSON_OBJECT) {
		*why = "a JSON object is expected";
		return -EINVAL;
	}
	struct json type = json_get(&object, "type");
	while (kind < NKINDS && !is(&type, kinds[kind].name))
		kind++;
	if (kind == NKINDS) {
		*why = "type: no message is called so";
		return -EINVAL;
	}
	m->kind = (enum message_kind)kind;
	kinds[kind].read(&r, m);
	*why = r.why;
	return r.why == NULL ? 0 : -EINVAL;
}

/* Each of these appends nothing when the member was not given. */

static int
put_value(struct buf *out, const char *name, const struct json *value)
{
	if (value->kind == JSON_NONE)
		return 0;
	int r = buf_printf(out, ",\"%s\":", name);
	return r < 0 ? r : json_put_compact(out, value);
}

static int
put_number(struct buf *out, const char *name, double n)
{
	return n < 0. ? 0 : buf_printf(out, ",\"%s\":%.17g", name, n);
}

static int
put_seconds(struct buf *out, const char *name, int64_t ns)
{
	return ns < 0 ? 0
		      : buf_printf(out, ",\"%s\":%lld.%06lld", name,
			    (long long)(ns / CLOCK_NS_PER_S),
			    (long long)(ns % CLOCK_NS_PER_S / NS_PER_US));
}

static int
put_text(struct buf *out, const char *name, const char *text)
{
	return buf_printf(out, ",\"%s\":%s", name, text);
}

static int
put_error(struct buf *out, const struct message *m)
{
	int r = put_value(out, "errtype", &m->error.errtype);

	if (r == 0)
		r = put_value(out, "message", &m->error.message);
	if (r == 0)
		r = put_value(out, "backtrace", &m->error.backtrace);
	if (r == 0 && m->error.retry == MESSAGE_DEAD)
		r = put_text(out, "retry", "false");
	if (r == 0 && m->error.retry == MESSAGE_DISCARD)
		r = put_text(out, "retry", "\"discard\"");
	if (r == 0)
		r = put_seconds(out, "retry_in", m->error.retry_in);
	return r;
}

static int
put_log(struct buf *out, const struct message *m)
{
	int r = buf_printf(out, ",\"level\":\"%s\"", levels[m->log.level]);

	if (r == 0)
		r = put_value(out, "msg", &m->log.msg);
	return r < 0 ? r : put_value(out, "fields", &m->log.fields);
}

static int
put_metric(struct buf *out, const struct message *m)
{
	int r = put_value(out, "name", &m->metric.name);

	if (r == 0)
		r = buf_printf(out, ",\"value\":%.17g", m->metric.value);
	if (r == 0 && m->metric.kind != MESSAGE_AS_DECLARED)
		r = put_text(out, "kind",
		    m->metric.kind == MESSAGE_COUNT ? "\"count\""
						    : "\"gauge\"");
	return r;
}

static int
put_members(struct buf *out, const struct message *m)
{
	int r;

	switch (m->kind) {
	case MESSAGE_PROGRESS:
		r = put_number(out, "percent", m->progress.percent);
		return r < 0 ? r : put_value(out, "desc", &m->progress.desc);
	case MESSAGE_HEARTBEAT:
		return 0;
	case MESSAGE_EXTEND:
		return put_seconds(out, "seconds", m->extend.ns);
	case MESSAGE_LOG:
		return put_log(out, m);
	case MESSAGE_RESULT:
		return put_value(out, "value", &m->result.value);
	case MESSAGE_ERROR:
		return put_error(out, m);
	case MESSAGE_PUSH:
		return put_value(out, "job", &m->push.job);
	case MESSAGE_METRIC:
		return put_metric(out, m);
	}
	return -EINVAL;
}

int
message_put(struct buf *out, const struct message *m)
{
	size_t before = buf_len(out);
	int r = buf_printf(out, "{\"type\":\"%s\"", kinds[m->kind].name);

	if (r == 0)
		r = put_members(out, m);
	if (r == 0)
		r = buf_putc(out, '}');
	if (r < 0)
		buf_cut(out, before);
	return r;
}
