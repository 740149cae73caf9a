/*
 * fuzz_beat - a heartbeat that was read says the same when it is written
 * again, and so does its answer.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/beat.h"
#include "protocol/resp.h"
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
same_jids(const struct beat_jids *a, const struct beat_jids *b)
{
	must(a->count == b->count && a->count <= BEAT_JIDS_MAX);
	for (size_t i = 0; i < a->count; i++)
		must(strcmp(a->names[i], b->names[i]) == 0);
}

static void
answer_comes_back(const char *text, size_t size)
{
	struct beat_reply told, again;
	struct resp r;

	if (beat_read_reply(text, size, &told) < 0)
		return;
	must(told.state <= WORKER_TERMINATE);
	struct buf *b = buf_new(12 * size + 200);
	must(b != NULL && beat_put_reply(b, &told) == 0);
	must(resp_decode(buf_front(b), buf_len(b), buf_len(b), &r) == RESP_OK);
	must(beat_read_reply(r.text, r.len, &again) == 0);
	must(again.state == told.state);
	same_jids(&told.cancel, &again.cancel);
	same_jids(&told.lost, &again.lost);
	beat_reply_clear(&again);
	beat_reply_clear(&told);
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	beat_comes_back((const char *)data, size);
	answer_comes_back((const char *)data, size);
	return 0;
}
