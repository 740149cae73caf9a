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

static bool
may_pass(struct output *o)
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

/* Cuts "<N>" off the front. */
static enum log_level
level_of(const char **bytes, size_t *len)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR,
		LOG_LEVEL_ERROR, LOG_LEVEL_ERROR, LOG_LEVEL_ERROR,
		LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_INFO,
		LOG_LEVEL_DEBUG };
	const char *s = *bytes;

	if (*len < 3 || s[0] != '<' || s[1] < '0' || s[1] > '7' || s[2] != '>')
		return LOG_LEVEL_INFO;
	*bytes += 3;
	*len -= 3;
	return levels[s[1] - '0'];
}

void
output_line(struct output *o, const char *jid, struct output_place *at,
    enum run_stream stream, const char *bytes, size_t len, bool more)
{
	char marked[RUN_LINE_MAX + sizeof more_mark];
	const struct log_tag tags[] = {
		{ "jid", jid },
		{ "type", o->how->jobtype },
		{ "stream", stream == RUN_STDOUT ? "stdout" : "stderr" },
	};

	if (!at->within)
		at->level = level_of(&bytes, &len);
	at->within = more;
	if (!log_wants(at->level) || !may_pass(o))
		return;
	if (more && len <= RUN_LINE_MAX) {
		memcpy(marked, bytes, len);
		memcpy(marked + len, more_mark, sizeof more_mark - 1);
		bytes = marked;
		len += sizeof more_mark - 1;
	}
	log_bytes(at->level, tags, sizeof tags / sizeof tags[0], bytes, len);
}
