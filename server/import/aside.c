/*
 * aside - what is no job, told to a person and kept for one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "server/import/stock_job.h"

/* Every byte as \u0000 at the worst. */
#define LINE_BYTES ((size_t)512 * 1024 * 1024 * 6 + 8192)

/* The name of the file that is not whole, for aside_abandon(). */
static const char *volatile unfinished;

struct aside {
	const char *file; /* borrowed; NULL: none */
	FILE *err;
	FILE *out; /* NULL until the first one */
	struct buf *line;
	int64_t count;
};

struct aside *
aside_new(const char *file, FILE *err, struct err *e)
{
	struct stat st;
	struct aside *a;

	/* Before hours of work, not after them. */
	if (file != NULL && lstat(file, &st) == 0) {
		err_set(e, EEXIST, "%s: %s", file, strerror(EEXIST));
		return NULL;
	}
	a = calloc(1, sizeof *a);
	if (a == NULL || (a->line = buf_new(LINE_BYTES)) == NULL) {
		free(a);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	a->file = file;
	a->err = err;
	return a;
}

void
aside_say(FILE *to, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		putc(c < ' ' || c == 0x7f ? '?' : c, to);
	}
}

static void
tell(struct aside *a, const char *key, const struct source_element *element,
    const char *reason)
{
	if (a->count > ASIDE_SHOWN)
		return;
	if (a->count == ASIDE_SHOWN) {
		fputs("and others, which are not shown\n", a->err);
		return;
	}
	aside_say(a->err, key);
	fprintf(a->err, ", index %" PRId64, element->index);
	if (element->score != NULL) {
		fputs(", score ", a->err);
		aside_say(a->err, element->score);
	}
	fputs(": ", a->err);
	aside_say(a->err, reason);
	putc('\n', a->err);
}

static int
put_bytes(struct buf *b, const char *bytes, size_t len)
{
	if (json_utf8_valid(bytes, len))
		return buf_puts(b, ",\"bytes\":") < 0
		    ? -ENOMEM
		    : json_put_string(b, bytes, len);
	int r = buf_puts(b, ",\"hex\":\"");
	for (size_t i = 0; r == 0 && i < len; i++)
		r = buf_printf(b, "%02x", (unsigned char)bytes[i]);
	return r < 0 ? r : buf_putc(b, '"');
}

static int
put_line(struct buf *b, const char *key, const struct source_element *element,
    const char *reason)
{
	int r;

	buf_clear(b);
	if (buf_puts(b, "{\"key\":") < 0 ||
	    json_put_string(b, key, strlen(key)) < 0 ||
	    buf_printf(b, ",\"index\":%" PRId64, element->index) < 0)
		return -ENOMEM;
	if (element->score != NULL &&
	    (buf_puts(b, ",\"score\":") < 0 ||
		json_put_string(b, element->score, element->score_len) < 0))
		return -ENOMEM;
	if (buf_puts(b, ",\"reason\":") < 0 ||
	    json_put_string(b, reason, strlen(reason)) < 0)
		return -ENOMEM;
	r = put_bytes(b, element->bytes, element->len);
	return r < 0 ? r : buf_puts(b, "}\n");
}

static int
open_file(struct aside *a, struct err *e)
{
	int fd;

	if (a->out != NULL)
		return 0;
	fd = open(a->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		unfinished = a->file;
		a->out = fdopen(fd, "w");
	}
	if (a->out != NULL)
		return 0;
	int code = errno;
	if (fd >= 0)
		close(fd);
	return err_set(e, code, "%s: %s", a->file, strerror(code));
}

int
aside_put(struct aside *a, const char *key,
    const struct source_element *element, const char *reason, struct err *e)
{
	tell(a, key, element, reason);
	a->count++;
	if (a->file == NULL)
		return 0;
	if (open_file(a, e) < 0)
		return -e->code;
	if (put_line(a->line, key, element, reason) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (fwrite(buf_front(a->line), 1, buf_len(a->line), a->out) !=
	    buf_len(a->line))
		return err_set(e, EIO, "%s: %s", a->file, strerror(errno));
	return 0;
}

int64_t
aside_count(const struct aside *a)
{
	return a->count;
}

int
aside_sync(struct aside *a, struct err *e)
{
	if (a->out != NULL &&
	    (fflush(a->out) != 0 || fsync(fileno(a->out)) < 0))
		return err_set(e, EIO, "%s: %s", a->file, strerror(errno));
	unfinished = NULL;
	return 0;
}

void
aside_abandon(void)
{
	const char *file = unfinished;

	if (file != NULL)
		(void)unlink(file);
}

void
aside_free(struct aside *a, bool keep)
{
	if (a == NULL)
		return;
	unfinished = NULL;
	if (a->out != NULL) {
		fclose(a->out);
		if (!keep)
			(void)unlink(a->file);
	}
	buf_free(a->line);
	free(a);
}
