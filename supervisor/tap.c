/*
 * tap - the lines of one program as they come, for those who listen.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/tap.h"

#include <string.h>

/* In front of each line that is kept. */
struct head {
	size_t len;
	enum run_stream stream;
	enum log_level level;
	bool more;
};

static struct head
first_head(const struct buf *kept)
{
	struct head h;

	memcpy(&h, buf_front(kept), sizeof h);
	return h;
}

static void
keep(struct tap *t, const struct tap_line *line)
{
	struct head h;

	/* Zeroed with its gaps: it is stored as bytes. */
	memset(&h, 0, sizeof h);
	h.len = line->len;
	h.stream = line->stream;
	h.level = line->level;
	h.more = line->more;
	if (t->kept == NULL)
		t->kept = buf_new(TAP_KEEP);
	if (t->kept == NULL || sizeof h + line->len > TAP_KEEP)
		return;
	while (buf_len(t->kept) + sizeof h + line->len > TAP_KEEP)
		buf_drop(t->kept, sizeof h + first_head(t->kept).len);
	size_t before = buf_len(t->kept);
	if (buf_append(t->kept, &h, sizeof h) == 0 &&
	    buf_append(t->kept, line->bytes, line->len) < 0)
		buf_cut(t->kept, before);
}

void
tap_add(struct tap *t, const struct tap_line *line)
{
	struct tap_ear *ear, *next;

	keep(t, line);
	for (ear = LIST_FIRST(&t->ears); ear != NULL; ear = next) {
		next = LIST_NEXT(ear, link);
		ear->hear(ear->ctx, line);
	}
}

/* Whether the ear has not left meanwhile. */
static bool
listens(const struct tap *t, const struct tap_ear *ear)
{
	const struct tap_ear *e;

	LIST_FOREACH(e, &t->ears, link)
	if (e == ear)
		return true;
	return false;
}

void
tap_listen(struct tap *t, struct tap_ear *ear)
{
	size_t len = t->kept != NULL ? buf_len(t->kept) : 0;

	LIST_INSERT_HEAD(&t->ears, ear, link);
	for (size_t at = 0; at < len && listens(t, ear);) {
		const char *bytes = buf_front(t->kept) + at;
		struct head h;

		memcpy(&h, bytes, sizeof h);
		const struct tap_line line = { .stream = h.stream,
			.level = h.level,
			.more = h.more,
			.bytes = bytes + sizeof h,
			.len = h.len };
		ear->hear(ear->ctx, &line);
		at += sizeof h + h.len;
	}
}

void
tap_leave(struct tap_ear *ear)
{
	LIST_REMOVE(ear, link);
}

void
tap_end(struct tap *t)
{
	struct tap_ear *ear;

	while ((ear = LIST_FIRST(&t->ears)) != NULL) {
		LIST_REMOVE(ear, link);
		ear->hear(ear->ctx, NULL);
	}
	buf_free(t->kept);
	t->kept = NULL;
}
