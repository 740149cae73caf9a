/*
 * state - a kind, then the value, little-endian.
 *
 *   'i' i64     'b' u64 bytes     't' u64 bytes     'n' (no text)     'f' i64
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/little_endian.h"

#define MAGIC "FKTSTATE"
enum { MAGIC_LEN = 8, FRONT = MAGIC_LEN + 4 + 8 + 4 };

int
state_writer_init(struct state_writer *w, size_t max)
{
	*w = (struct state_writer){ .out = buf_new(max) };
	return w->out != NULL ? 0 : -ENOMEM;
}

void
state_writer_clear(struct state_writer *w)
{
	buf_free(w->out);
	free(w->fds);
	*w = (struct state_writer){ 0 };
}

static void
put(struct state_writer *w, char kind, uint64_t value, const char *bytes)
{
	char front[9] = { kind };

	le_store(front + 1, value, 8);
	if (buf_append(w->out, front, kind == 'n' ? 1 : 9) < 0 ||
	    (bytes != NULL && buf_append(w->out, bytes, value) < 0))
		w->failed = true;
}

void
state_put_int(struct state_writer *w, int64_t value)
{
	put(w, 'i', (uint64_t)value, NULL);
}

void
state_put_bytes(struct state_writer *w, const char *bytes, size_t len)
{
	put(w, 'b', len, bytes != NULL ? bytes : "");
}

void
state_put_text(struct state_writer *w, const char *text)
{
	if (text == NULL)
		put(w, 'n', 0, NULL);
	else
		put(w, 't', strlen(text), text);
}

void
state_put_fd(struct state_writer *w, int fd)
{
	put(w, 'f', (uint64_t)(int64_t)fd, NULL);
	if (fd < 0)
		return;
	int *more = reallocarray(w->fds, w->nfds + 1, sizeof *more);
	if (more == NULL) {
		w->failed = true;
		return;
	}
	w->fds = more;
	w->fds[w->nfds++] = fd;
}

int
state_seal(const struct state_writer *w, uint32_t version, struct buf *out)
{
	char front[FRONT] = MAGIC;
	size_t len = buf_len(w->out);

	if (w->failed)
		return -ENOMEM;
	le_store(front + MAGIC_LEN, version, 4);
	le_store(front + MAGIC_LEN + 4, len, 8);
	le_store(front + MAGIC_LEN + 12, crc32_of(buf_front(w->out), len), 4);
	int r = buf_append(out, front, FRONT);
	return r == 0 ? buf_append(out, buf_front(w->out), len) : r;
}

int
state_open(
    struct state_reader *r, const char *bytes, size_t len, uint32_t version)
{
	if (len < FRONT || memcmp(bytes, MAGIC, MAGIC_LEN) != 0 ||
	    le_load(bytes + MAGIC_LEN, 4) != version ||
	    le_load(bytes + MAGIC_LEN + 4, 8) != len - FRONT ||
	    le_load(bytes + MAGIC_LEN + 12, 4) !=
		crc32_of(bytes + FRONT, len - FRONT))
		return -EINVAL;
	*r = (struct state_reader){ bytes + FRONT, len - FRONT, false };
	return 0;
}

/* The kind, or 0 after a failure. */
static char
take_kind(struct state_reader *r)
{
	if (r->failed || r->left < 1) {
		r->failed = true;
		return 0;
	}
	r->left--;
	return *r->at++;
}

static uint64_t
take_value(struct state_reader *r, bool wanted)
{
	if (r->failed || !wanted || r->left < 8) {
		r->failed = true;
		return 0;
	}
	uint64_t value = le_load(r->at, 8);
	r->at += 8;
	r->left -= 8;
	return value;
}

static const char *
take_bytes(struct state_reader *r, bool wanted, size_t *len)
{
	uint64_t n = take_value(r, wanted);
	const char *bytes = r->at;

	if (r->failed || n > r->left) {
		r->failed = true;
		*len = 0;
		return NULL;
	}
	r->at += n;
	r->left -= n;
	*len = n;
	return bytes;
}

int64_t
state_get_int(struct state_reader *r)
{
	char kind = take_kind(r);

	return (int64_t)take_value(r, kind == 'i');
}

int64_t
state_get_within(struct state_reader *r, int64_t min, int64_t max)
{
	int64_t value = state_get_int(r);

	if (value >= min && value <= max)
		return value;
	r->failed = true;
	return min;
}

const char *
state_get_bytes(struct state_reader *r, size_t *len)
{
	char kind = take_kind(r);

	return take_bytes(r, kind == 'b', len);
}

char *
state_get_text(struct state_reader *r)
{
	char kind = take_kind(r), *text = NULL;
	size_t len;

	if (kind == 'n')
		return NULL;
	const char *bytes = take_bytes(r, kind == 't', &len);
	if (bytes != NULL && memchr(bytes, '\0', len) == NULL)
		text = strndup(bytes, len);
	if (text == NULL)
		r->failed = true;
	return text;
}

int
state_get_fd(struct state_reader *r)
{
	char kind = take_kind(r);
	int64_t fd = (int64_t)take_value(r, kind == 'f');

	if (r->failed || fd == -1)
		return -1;
	if (fd <= 2 || fd > STATE_FDS_MAX ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
		r->failed = true;
		return -1;
	}
	return (int)fd;
}
