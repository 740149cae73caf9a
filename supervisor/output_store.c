/*
 * output_store - the files that programs' output is written into.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_line.h"
#include "base/map.h"
#include "supervisor/output_name.h"

enum {
	LINE_BYTES = 4 * RUN_LINE_MAX + 512, /* escaped, with what is around */
	FILE_MODE = 0640,
};

/* Between two looks into a directory that is not too full. */
static const int64_t sweep_period = 60 * CLOCK_NS_PER_S;

struct shelf {
	struct output_shelf is;
	int64_t swept; /* clock_mono(); 0: never */
	bool failing;
	size_t key_len;
	char key[]; /* directory, NUL, prefix, NUL */
};

struct file {
	uint64_t id;
	int fd;
	struct shelf *shelf; /* borrowed: shelves stay */
	int64_t size;
	uint64_t missing; /* lines, not yet told in it */
	bool torn;        /* its last line has no end */
	bool cut;         /* max_size was reached, and told */
	char name[OUTPUT_NAME_BYTES];
};

struct output_store {
	struct map *shelves; /* by key */
	struct map *files;   /* by id */
	struct buf *line;
};

struct output_store *
output_store_new(void)
{
	struct output_store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->shelves = map_new();
	s->files = map_new();
	s->line = buf_new(LINE_BYTES);
	if (s->shelves != NULL && s->files != NULL && s->line != NULL)
		return s;
	output_store_free(s);
	return NULL;
}

void
output_store_free(struct output_store *s)
{
	struct file *f;
	struct shelf *h;
	size_t cursor = 0;

	if (s == NULL)
		return;
	while (s->files != NULL && (f = map_next(s->files, &cursor)) != NULL) {
		close(f->fd);
		free(f);
	}
	cursor = 0;
	while (
	    s->shelves != NULL && (h = map_next(s->shelves, &cursor)) != NULL)
		free(h);
	map_free(s->files);
	map_free(s->shelves);
	buf_free(s->line);
	free(s);
}

static struct file *
find_file(const struct output_store *s, uint64_t id)
{
	return map_get(s->files, (const char *)&id, sizeof id);
}

/* Of output_shelf: whether a file is being written. */
static bool
in_use(void *ctx, const char *name)
{
	const struct output_store *s = ctx;
	const struct file *f;
	size_t cursor = 0;

	while ((f = map_next(s->files, &cursor)) != NULL)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

/* NULL when there is none, and memory for a new one is short. */
static struct shelf *
find_shelf(struct output_store *s, const char *dir, const char *prefix)
{
	size_t dir_len = strlen(dir) + 1;
	size_t len = dir_len + strlen(prefix) + 1;
	struct shelf *h = calloc(1, sizeof *h + len);

	if (h == NULL)
		return NULL;
	memcpy(h->key, dir, dir_len);
	memcpy(h->key + dir_len, prefix, len - dir_len);
	h->key_len = len;
	struct shelf *known = map_get(s->shelves, h->key, len);
	if (known == NULL && map_put(s->shelves, h->key, len, h) == 0) {
		h->is = (struct output_shelf){ .dir = h->key,
			.prefix = h->key + dir_len,
			.in_use = in_use,
			.ctx = s };
		return h;
	}
	free(h);
	return known;
}

static void
tell(struct shelf *h, int r)
{
	if (r < 0 && !h->failing)
		log_say(LOG_LEVEL_ERROR, "output",
		    "%s: %s; output is not kept there, jobs go on", h->is.dir,
		    r == -EPERM ? "its group or others may write there, or it "
				  "is not ours"
				: strerror(-r));
	else if (r == 0 && h->failing)
		log_say(LOG_LEVEL_INFO, "output", "%s: output is kept again",
		    h->is.dir);
	h->failing = r < 0;
}

static void
sweep(struct shelf *h, int64_t coming)
{
	int r = output_shelf_sweep(&h->is, clock_wall(), coming);

	h->swept = clock_mono();
	if (r < 0)
		tell(h, r);
}

/* It is looked for in the directory when it is due, or there is too much. */
static void
sweep_if_due(struct shelf *h, int64_t coming)
{
	const struct output_limits *l = &h->is.limits;

	if (h->swept == 0 || clock_mono() - h->swept >= sweep_period ||
	    h->is.files > l->max_files ||
	    (l->max_total > 0 && h->is.bytes > l->max_total))
		sweep(h, coming);
}

void
output_store_know(struct output_store *s, const char *dir, const char *prefix,
    const struct output_limits *limits)
{
	struct shelf *h = find_shelf(s, dir, prefix);

	if (h == NULL)
		return;
	h->is.limits = *limits;
	sweep_if_due(h, 0);
}

void
output_store_sweep(struct output_store *s)
{
	struct shelf *h;
	size_t cursor = 0;

	while ((h = map_next(s->shelves, &cursor)) != NULL)
		sweep_if_due(h, 0);
}

/* A descriptor that appends, or a negative errno. */
static int
open_in(int dir, const char *name, bool again)
{
	const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = again ? openat(dir, name, flags | O_NONBLOCK) : -1;

	if (fd >= 0 &&
	    (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)) {
		close(fd);
		return -EEXIST;
	}
	if (fd < 0 && (!again || errno == ENOENT))
		fd = openat(dir, name, flags | O_CREAT | O_EXCL, FILE_MODE);
	if (fd < 0)
		return -errno;
	/* What our umask took away is meant for programs. */
	if (fchmod(fd, FILE_MODE) == 0)
		return fd;
	int e = errno;
	close(fd);
	return -e;
}

static int64_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_size : 0;
}

/* Takes fd. Returns 0 or -ENOMEM. */
static int
add_file(struct output_store *s, uint64_t id, struct shelf *h, const char *name,
    int fd)
{
	struct file *f = calloc(1, sizeof *f);

	if (f != NULL) {
		f->id = id;
		f->fd = fd;
		f->shelf = h;
		f->size = size_of(fd);
		memcpy(f->name, name, strlen(name) + 1);
		if (map_put(s->files, (const char *)&f->id, sizeof f->id, f) ==
		    0)
			return 0;
	}
	free(f);
	close(fd);
	return -ENOMEM;
}

void
output_store_open(struct output_store *s, uint64_t id, const char *dir,
    const char *prefix, const char *name, const struct output_limits *limits,
    bool again)
{
	struct shelf *h = find_shelf(s, dir, prefix);

	if (h == NULL)
		return;
	if (h->is.limits.max_files == 0)
		h->is.limits = *limits;
	h->is.files++;
	sweep_if_due(h, 1);
	int in = output_shelf_open(dir);
	int r = in;
	if (in >= 0) {
		r = open_in(in, name, again);
		close(in);
	}
	if (r >= 0)
		r = add_file(s, id, h, name, r);
	tell(h, r);
}

/* What is not written at once is missing. Returns 0 or a negative errno. */
static int
write_whole(struct file *f, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(f->fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	f->size += (int64_t)done;
	f->shelf->is.bytes += (int64_t)done;
	if (done > 0)
		f->torn = done < len;
	if (done == len)
		return 0;
	return errno != 0 ? -errno : -EIO;
}

static int
put_remark(struct buf *out, int64_t time, const char *words)
{
	int r = log_line_time_at(out, time);

	return r < 0 ? r : buf_printf(out, " faktotum  %s\n", words);
}

static int
put_missing(struct buf *out, int64_t time, uint64_t missing)
{
	char words[96];

	if (missing == 0)
		return 0;
	snprintf(words, sizeof words,
	    "%llu lines are missing: the disk was too slow, or refused them",
	    (unsigned long long)missing);
	return put_remark(out, time, words);
}

static int
put_line(struct buf *out, const struct output_line *line)
{
	int r = log_line_time_at(out, line->time);

	if (r == 0)
		r = buf_puts(out,
		    line->stream == RUN_STDOUT ? " stdout  " : " stderr  ");
	if (r == 0)
		r = log_line_escape(out, line->bytes, line->len);
	return r < 0 ? r : buf_puts(out, line->more ? "\xe2\x80\xa6\n" : "\n");
}

void
output_store_line(
    struct output_store *s, uint64_t id, const struct output_line *line)
{
	struct file *f = find_file(s, id);

	if (f == NULL || f->cut)
		return;
	f->missing += line->missing;
	buf_clear(s->line);
	int r = f->torn ? buf_putc(s->line, '\n') : 0;
	if (r == 0)
		r = put_missing(s->line, line->time, f->missing);
	if (r == 0)
		r = put_line(s->line, line);
	if (r == 0 &&
	    f->size + (int64_t)buf_len(s->line) >
		f->shelf->is.limits.max_size) {
		buf_clear(s->line);
		r = put_remark(s->line, line->time,
		    "what follows is left out: max_size is reached");
		f->cut = true;
	}
	if (r == 0)
		r = write_whole(f, buf_front(s->line), buf_len(s->line));
	f->missing = r == 0 ? 0 : f->missing + 1;
	tell(f->shelf, r);
}

void
output_store_close(
    struct output_store *s, uint64_t id, int64_t time, uint64_t missing)
{
	struct file *f = find_file(s, id);

	if (f == NULL)
		return;
	buf_clear(s->line);
	f->missing += missing;
	if (!f->cut && f->missing > 0 &&
	    (!f->torn || buf_putc(s->line, '\n') == 0) &&
	    put_missing(s->line, time, f->missing) == 0)
		(void)write_whole(f, buf_front(s->line), buf_len(s->line));
	map_remove(s->files, (const char *)&f->id, sizeof f->id);
	close(f->fd);
	free(f);
}
