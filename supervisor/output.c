/*
 * output - a line's level, its tags, and the count of those left out.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* What marks a line that goes on in the next. */
static const char more_mark[] = "\xe2\x80\xa6";

void
output_tell(struct output *o)
{
	const struct log_tag tag = { "type", o->how->jobtype };

	if (o->suppressed == 0)
		return;
	log_tagged(LOG_LEVEL_WARNING, &tag, 1,
	    "%lld lines of output left out (log_rate is %lld a second)",
	    (long long)o->suppressed, (long long)o->how->log_rate);
	o->suppressed = 0;
}

bool
output_may_pass(struct output *o)
{
	int64_t now = clock_mono();

	if (o->second == 0 || now - o->second >= CLOCK_NS_PER_S) {
		output_tell(o);
		o->second = now;
		o->lines = 0;
	}
	if (o->how->log_rate > 0 && o->lines >= o->how->log_rate) {
		o->suppressed++;
		return false;
	}
	o->lines++;
	return true;
}

/* Cuts "<N>" off the front: N, or -1 without one. */
static int
cut_priority(const char **bytes, size_t *len)
{
	const char *s = *bytes;

	if (*len < 3 || s[0] != '<' || s[1] < '0' || s[1] > '7' || s[2] != '>')
		return -1;
	*bytes += 3;
	*len -= 3;
	return s[1] - '0';
}

static enum log_level
level_of(int priority)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR,
		LOG_LEVEL_ERROR, LOG_LEVEL_ERROR, LOG_LEVEL_ERROR,
		LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_INFO,
		LOG_LEVEL_DEBUG };

	return priority < 0 ? LOG_LEVEL_INFO : levels[priority];
}

/* Returns whether log_rate let it pass. */
static bool
log_line(struct output *o, const struct output_job *job,
    const struct output_place *at, const struct tap_line *line)
{
	char marked[RUN_LINE_MAX + sizeof more_mark];
	const char *bytes = line->bytes;
	size_t len = line->len;

	if (!log_wants(line->level))
		return true;
	if (!output_may_pass(o))
		return false;
	if (line->more && len <= RUN_LINE_MAX) {
		memcpy(marked, bytes, len);
		memcpy(marked + len, more_mark, sizeof more_mark - 1);
		bytes = marked;
		len += sizeof more_mark - 1;
	}
	job_log_line(
	    &job->log, line->level, at->priority, line->stream, bytes, len);
	return true;
}

bool
output_line(struct output *o, struct output_job *job, enum run_stream stream,
    const char *bytes, size_t len, bool more)
{
	struct output_place *at = &job->places[stream];

	if (!at->within) {
		at->priority = cut_priority(&bytes, &len);
		at->level = level_of(at->priority);
	}
	at->within = more;

	const struct tap_line line = { .stream = stream,
		.level = at->level,
		.more = more,
		.bytes = bytes,
		.len = len };
	tap_add(&job->tap, &line);
	output_file_line(&job->file, &job->log, stream, bytes, len, more);
	return log_line(o, job, at, &line);
}

void
output_end(struct output_job *job)
{
	tap_end(&job->tap);
	output_file_end(&job->file);
}

void
output_save(const struct output_job *job, struct state_writer *w)
{
	for (size_t i = 0; i < 2; i++) {
		state_put_int(w, job->places[i].within);
		state_put_int(w, job->places[i].level);
		state_put_int(w, job->places[i].priority);
	}
}

void
output_load(struct output_job *job, struct state_reader *r)
{
	for (size_t i = 0; i < 2; i++) {
		struct output_place *at = &job->places[i];

		at->within = state_get_within(r, 0, 1) != 0;
		at->level = (enum log_level)state_get_within(
		    r, LOG_LEVEL_ERROR, LOG_LEVEL_DEBUG);
		at->priority = (int)state_get_within(r, -1, 7);
	}
}
