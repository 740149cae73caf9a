/*
 * files - values of a job, written where its program will look for them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/write_all.h"
#include "config/job_files.h"
#include "protocol/base64.h"
#include "supervisor/confines.h"
#include "supervisor/granted.h"

enum { FILE_SIZE_MAX = 64 * 1024 * 1024 }; /* as a job itself */

/* A value's bytes: a string's own, anything else as compact JSON. */
static int
put_value(struct buf *out, const struct json *value)
{
	size_t room;

	if (value->kind != JSON_STRING)
		return json_put_compact(out, value);
	char *at = buf_room(out, value->len, &room);
	if (at == NULL || room < value->len)
		return -ENOMEM;
	ssize_t n = json_decode_string(value, at, room);
	if (n < 0)
		return (int)n;
	buf_filled(out, (size_t)n);
	return 0;
}

static int
decode(struct buf *b, const struct job_file *f, struct err *e)
{
	size_t room = BASE64_ROOM(buf_len(b));
	unsigned char *bytes = malloc(room);

	if (bytes == NULL)
		return err_set(e, ENOMEM, "out of memory");
	ssize_t n = base64_decode(buf_front(b), buf_len(b), bytes);
	buf_clear(b);
	int r = 0;
	if (n == -EINVAL)
		r = err_set(e, EINVAL, "{%s} is not base64", f->from.text);
	else if (n < 0 || buf_append(b, bytes, (size_t)n) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	free(bytes);
	return r;
}

static int
make_content(struct buf *b, const struct job_file *f, const struct job *job,
    struct err *e)
{
	const struct json *root =
	    f->from.root == PATH_ARGS ? &job->args : &job->custom;
	struct json value = path_find(&f->from, root);

	if (value.kind == JSON_NONE || value.kind == JSON_NULL)
		return err_set(e, EINVAL, "{%s} %s", f->from.text,
		    value.kind == JSON_NULL ? "null" : "missing");
	if (f->base64 && value.kind != JSON_STRING)
		return err_set(e, EINVAL, "{%s} is no string", f->from.text);
	if (put_value(b, &value) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return f->base64 ? decode(b, f, e) : 0;
}

/* Its permissions do not depend on our umask, nor its owner on who we are. */
static int
fill(int fd, const struct stat *owner, const struct job_file *f,
    const struct buf *content)
{
	int r = write_all(fd, buf_front(content), buf_len(content));

	if (r == 0 && fchmod(fd, (mode_t)f->mode) < 0)
		r = -errno;
	if (r == 0 && owner->st_uid != geteuid() &&
	    fchown(fd, owner->st_uid, owner->st_gid) < 0)
		r = -errno;
	return r;
}

static int
write_one(int dirfd, const struct stat *owner, const struct job_file *f,
    const struct job *job, struct err *e)
{
	struct buf *content = buf_new(FILE_SIZE_MAX);
	int r = content == NULL ? err_set(e, ENOMEM, "out of memory")
				: make_content(content, f, job, e);

	if (r == 0) {
		int fd = openat(dirfd, f->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		r = fd < 0 ? -errno : fill(fd, owner, f, content);
		if (fd >= 0 && close(fd) < 0 && r == 0)
			r = -errno;
		if (r < 0)
			err_set(e, -r == EINVAL ? EIO : -r, "%s", strerror(-r));
	}
	buf_free(content);
	return r < 0 ? err_wrap(e, "file %s", f->env) : 0;
}

int
files_write(const struct handler *how, const struct job *job, const char *dir,
    struct err *e)
{
	const struct job_files *files = how->files;
	struct stat owner = { .st_uid = 0 };
	int r = confines_give(&how->confine, dir);

	if (r < 0)
		return err_set(e, -r, "chown %s: %s", dir, strerror(-r));
	if (files == NULL && how->credentials == NULL)
		return 0;
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || fstat(dirfd, &owner) < 0)
		r = err_set(e, errno == EINVAL ? EIO : errno, "%s: %s", dir,
		    strerror(errno));
	if (r == 0 && how->credentials != NULL)
		r = granted_write(how->credentials, dirfd, &owner, e);
	for (size_t i = 0; files != NULL && r == 0 && i < files->count; i++)
		r = write_one(dirfd, &owner, &files->at[i], job, e);
	if (dirfd >= 0)
		close(dirfd);
	return r;
}
