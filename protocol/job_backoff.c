/*
 * job_backoff - checked at PUSH, worked out when the job is handed out.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/job_backoff.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"

/* Enough for JOB_BACKOFF_MAX from any base and factor above 1. */
enum { DOUBLINGS_MAX = 4096 };

struct growth {
	int64_t base;
	int64_t cap;
	double factor;
};

static const char expected[] =
    "custom.backoff must be a list of 1 to 100 numbers of seconds, or "
    "{\"base\":seconds,\"factor\":1 to 100,\"cap\":seconds}, whole seconds "
    "of at most 366 days";

static bool
is_seconds(const struct json *value, int64_t least, int64_t *out)
{
	return json_int(value, out) == 0 && *out >= least &&
	    *out <= JOB_BACKOFF_MAX;
}

static bool
read_growth(const struct json *object, struct growth *g)
{
	struct json_walk w = json_walk(object);
	struct json key, value;

	*g = (struct growth){ .cap = JOB_BACKOFF_MAX, .factor = 2. };
	while (json_next_member(&w, &key, &value)) {
		bool good = false;

		if (json_string_is(&key, "base", 4))
			good = is_seconds(&value, 1, &g->base);
		else if (json_string_is(&key, "cap", 3))
			good = is_seconds(&value, 1, &g->cap);
		else if (json_string_is(&key, "factor", 6))
			good = json_double(&value, &g->factor) == 0 &&
			    g->factor >= 1. && g->factor <= 100.;
		if (!good)
			return false;
	}
	return g->base > 0;
}

static bool
check_list(const struct json *list)
{
	size_t n = json_count(list);
	struct json_walk w = json_walk(list);
	struct json one;
	int64_t seconds;

	if (n == 0 || n > JOB_BACKOFF_STEPS)
		return false;
	while (json_next_element(&w, &one))
		if (!is_seconds(&one, 0, &seconds))
			return false;
	return true;
}

int
job_backoff_check(const struct json *custom, struct err *e)
{
	struct json value = json_get(custom, "backoff");
	struct growth g;

	if (value.kind == JSON_NONE || value.kind == JSON_NULL)
		return 0;
	if ((value.kind == JSON_ARRAY && check_list(&value)) ||
	    (value.kind == JSON_OBJECT && read_growth(&value, &g)))
		return 0;
	return err_set(e, EINVAL, "%s", expected);
}

static int64_t
grown(const struct growth *g, int64_t count)
{
	double seconds = (double)g->base;

	if (count > DOUBLINGS_MAX)
		count = DOUBLINGS_MAX;
	while (count-- > 0 && seconds < (double)g->cap)
		seconds *= g->factor;
	return seconds < (double)g->cap ? (int64_t)seconds : g->cap;
}

static int64_t
seconds_of(const struct json *value, int64_t count)
{
	int64_t seconds;
	struct growth g;

	if (value->kind == JSON_OBJECT && read_growth(value, &g))
		return grown(&g, count);
	if (value->kind != JSON_ARRAY)
		return -1;
	size_t n = json_count(value);
	struct json step = json_at(value,
	    count < (int64_t)n ? (size_t)count
		: n > 0        ? n - 1
			       : 0);
	return is_seconds(&step, 0, &seconds) ? seconds : -1;
}

int64_t
job_backoff_seconds(const char *stored, size_t len, int64_t count)
{
	static const char word[] = "\"backoff\"";
	struct json job;

	/* Nearly every job has none: that is quickly seen. */
	if (memmem(stored, len, word, strlen(word)) == NULL ||
	    json_check(stored, len, &job, NULL) < 0)
		return -1;
	struct json custom = json_get(&job, "custom");
	struct json value = json_get(&custom, "backoff");
	return seconds_of(&value, count > 0 ? count : 0);
}
