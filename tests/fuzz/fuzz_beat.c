/*
 * fuzz_beat - a heartbeat that was read says the same when it is written
 * again, and its answer is one of the three that we know.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "protocol/beat.h"
#include "tests/fuzz/must.h"

static void
beat_comes_back(const char *text, size_t size)
{
	struct beat beat, again;

	if (beat_parse(text, size, &beat) < 0)
		return;
	struct buf *b = buf_new(6 * size + 200);
	must(b != NULL);
	must(beat_put(b, beat.wid, beat.rss_kb, beat.state) == 0);
	must(memchr(buf_front(b), '\n', buf_len(b) - 1) == NULL);
	must(beat_parse(buf_front(b) + 5, buf_len(b) - 7, &again) == 0);
	must(strcmp(again.wid, beat.wid) == 0);
	must(again.state == beat.state);
	must(again.rss_kb == (beat.rss_kb > 0 ? beat.rss_kb : 0));
	free(again.wid);
	free(beat.wid);
	buf_free(b);
}

static void
answer_is_known(const char *text, size_t size)
{
	enum worker_state told;

	if (beat_read_reply(text, size, &told) < 0)
		return;
	must(told <= WORKER_TERMINATE);
	if (told != WORKER_RUNNING)
		must(memchr(text, '{', size) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	beat_comes_back((const char *)data, size);
	answer_is_known((const char *)data, size);
	return 0;
}
