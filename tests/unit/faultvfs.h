/*
 * faultvfs - a disk that fails when it is told to, and remembers what it has.
 *
 * A shim over SQLite's own VFS for one test program. Writes and syncs fail on
 * command. Beside each file it keeps what a power cut would leave: a write
 * gets there with the next sync that succeeds, and a sync that fails drops
 * what was waiting for ever, as Linux does.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_FAULTVFS_H
#define TESTS_UNIT_FAULTVFS_H

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes wrong, until it is set back to zero. */
static struct {
	int write;     /* an errno; 0: writes succeed */
	int good;      /* writes that succeed before that */
	int sync;      /* likewise */
	bool watch;    /* remember the files that are opened from now on */
	size_t writes; /* that were asked for */
	size_t moves;  /* syncs of the database: what the log has is there */
} faultvfs;

struct faultvfs_op {
	struct faultvfs_op *next;
	bool truncate;
	size_t at, len;
	unsigned char bytes[];
};

struct faultvfs_image {
	char name[512];
	unsigned char *bytes; /* what the platter has */
	size_t len, cap;
	struct faultvfs_op *waiting, **last;
	size_t unsynced; /* operations that wait */
};

struct faultvfs_file {
	sqlite3_file base;
	struct faultvfs_image *image; /* NULL: not looked at */
	sqlite3_file *real;
};

enum { FAULTVFS_IMAGES = 2 }; /* the database and its log */
static struct faultvfs_image faultvfs_images[FAULTVFS_IMAGES];
static sqlite3_vfs *faultvfs_below;
static sqlite3_vfs faultvfs_shim;

static struct faultvfs_image *
faultvfs_find(const char *suffix)
{
	for (int i = 0; i < FAULTVFS_IMAGES; i++) {
		const char *name = faultvfs_images[i].name;
		size_t len = strlen(name), n = strlen(suffix);

		if (len >= n && strcmp(name + len - n, suffix) == 0)
			return &faultvfs_images[i];
	}
	return NULL;
}

static void
faultvfs_wait(struct faultvfs_image *m, const void *bytes, size_t len,
    size_t at, bool truncate)
{
	struct faultvfs_op *op = malloc(sizeof *op + len);

	assert(op != NULL);
	op->next = NULL;
	op->truncate = truncate;
	op->at = at;
	op->len = len;
	if (len > 0)
		memcpy(op->bytes, bytes, len);
	*m->last = op;
	m->last = &op->next;
	m->unsynced++;
}

static void
faultvfs_apply(struct faultvfs_image *m, const struct faultvfs_op *op)
{
	size_t end = op->at + op->len;

	if (end > m->cap) {
		m->cap = end * 2;
		m->bytes = realloc(m->bytes, m->cap);
		assert(m->bytes != NULL);
	}
	if (end > m->len) {
		memset(m->bytes + m->len, 0, end - m->len);
		m->len = end;
	}
	if (op->truncate)
		m->len = op->at;
	else
		memcpy(m->bytes + op->at, op->bytes, op->len);
}

/* What waits is on the platter now, or will never be. */
static void
faultvfs_end_wait(struct faultvfs_image *m, bool good)
{
	struct faultvfs_op *op;

	while ((op = m->waiting) != NULL) {
		m->waiting = op->next;
		if (good)
			faultvfs_apply(m, op);
		free(op);
	}
	m->last = &m->waiting;
	m->unsynced = 0;
}

static void
faultvfs_forget(struct faultvfs_image *m)
{
	faultvfs_end_wait(m, false);
	free(m->bytes);
	memset(m, 0, sizeof *m);
	m->last = &m->waiting;
}

#define REAL(f) (((struct faultvfs_file *)(void *)(f))->real)

static int
faultvfs_close(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int
faultvfs_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), to, n, at);
}

static int
faultvfs_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	struct faultvfs_file *ours = (void *)f;

	faultvfs.writes++;
	if (faultvfs.write != 0 && faultvfs.good-- <= 0) {
		errno = faultvfs.write;
		return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	}
	if (ours->image != NULL)
		faultvfs_wait(ours->image, from, (size_t)n, (size_t)at, false);
	return REAL(f)->pMethods->xWrite(REAL(f), from, n, at);
}

static int
faultvfs_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct faultvfs_file *ours = (void *)f;

	if (ours->image != NULL)
		faultvfs_wait(ours->image, NULL, 0, (size_t)size, true);
	return REAL(f)->pMethods->xTruncate(REAL(f), size);
}

static int
faultvfs_sync(sqlite3_file *f, int flags)
{
	struct faultvfs_file *ours = (void *)f;
	bool good = faultvfs.sync == 0;

	if (ours->image != NULL)
		faultvfs_end_wait(ours->image, good);
	if (ours->image == &faultvfs_images[0])
		faultvfs.moves++;
	if (good)
		return REAL(f)->pMethods->xSync(REAL(f), flags);
	errno = faultvfs.sync;
	return SQLITE_IOERR_FSYNC;
}

static int
faultvfs_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), size);
}

static int
faultvfs_lock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xLock(REAL(f), level);
}

static int
faultvfs_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static int
faultvfs_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int
faultvfs_control(sqlite3_file *f, int op, void *arg)
{
	if (op == SQLITE_FCNTL_LAST_ERRNO) {
		int error =
		    faultvfs.write != 0 ? faultvfs.write : faultvfs.sync;

		memcpy(arg, &error, sizeof error);
		return SQLITE_OK;
	}
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int
faultvfs_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int
faultvfs_device(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int
faultvfs_shm_map(sqlite3_file *f, int i, int n, int extend, void volatile **out)
{
	return REAL(f)->pMethods->xShmMap(REAL(f), i, n, extend, out);
}

static int
faultvfs_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

static void
faultvfs_shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int
faultvfs_shm_unmap(sqlite3_file *f, int delete)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), delete);
}

static const sqlite3_io_methods faultvfs_methods = {
	.iVersion = 2,
	.xClose = faultvfs_close,
	.xRead = faultvfs_read,
	.xWrite = faultvfs_write,
	.xTruncate = faultvfs_truncate,
	.xSync = faultvfs_sync,
	.xFileSize = faultvfs_size,
	.xLock = faultvfs_lock,
	.xUnlock = faultvfs_unlock,
	.xCheckReservedLock = faultvfs_reserved,
	.xFileControl = faultvfs_control,
	.xSectorSize = faultvfs_sector,
	.xDeviceCharacteristics = faultvfs_device,
	.xShmMap = faultvfs_shm_map,
	.xShmLock = faultvfs_shm_lock,
	.xShmBarrier = faultvfs_shm_barrier,
	.xShmUnmap = faultvfs_shm_unmap,
};

/* What is in the file already is on the platter. */
static void
faultvfs_watch(struct faultvfs_file *f, const char *name, bool log)
{
	struct faultvfs_image *m = &faultvfs_images[log];
	sqlite3_int64 size = 0;

	faultvfs_forget(m);
	snprintf(m->name, sizeof m->name, "%s", name);
	f->real->pMethods->xFileSize(f->real, &size);
	m->len = m->cap = (size_t)size;
	m->bytes = malloc(m->cap + 1);
	assert(m->bytes != NULL);
	if (m->len > 0)
		f->real->pMethods->xRead(f->real, m->bytes, (int)size, 0);
	f->image = m;
}

static int
faultvfs_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct faultvfs_file *f = (void *)file;

	(void)vfs;
	memset(f, 0, sizeof *f);
	f->real = (sqlite3_file *)(void *)(f + 1);
	int rc =
	    faultvfs_below->xOpen(faultvfs_below, name, f->real, flags, out);
	if (f->real->pMethods != NULL)
		f->base.pMethods = &faultvfs_methods;
	if (rc == SQLITE_OK && faultvfs.watch &&
	    (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0)
		faultvfs_watch(f, name, (flags & SQLITE_OPEN_WAL) != 0);
	return rc;
}

static int
faultvfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	struct faultvfs_image *m = faultvfs_find(name);

	(void)vfs;
	if (m != NULL)
		faultvfs_forget(m);
	return faultvfs_below->xDelete(faultvfs_below, name, sync_directory);
}

/* From now on every connection that is opened goes through the shim. */
static void
faultvfs_begin(void)
{
	memset(&faultvfs, 0, sizeof faultvfs);
	faultvfs_below = sqlite3_vfs_find(NULL);
	faultvfs_shim = *faultvfs_below;
	faultvfs_shim.zName = "fault";
	faultvfs_shim.szOsFile += (int)sizeof(struct faultvfs_file);
	faultvfs_shim.xOpen = faultvfs_open;
	faultvfs_shim.xDelete = faultvfs_delete;
	for (int i = 0; i < FAULTVFS_IMAGES; i++)
		faultvfs_images[i].last = &faultvfs_images[i].waiting;
	sqlite3_vfs_register(&faultvfs_shim, 1);
}

static void
faultvfs_end(void)
{
	sqlite3_vfs_unregister(&faultvfs_shim);
	sqlite3_vfs_register(faultvfs_below, 1);
	for (int i = 0; i < FAULTVFS_IMAGES; i++)
		faultvfs_forget(&faultvfs_images[i]);
}

/* Operations on the log that no sync has ended. */
__attribute__((unused)) static size_t
faultvfs_unsynced(void)
{
	struct faultvfs_image *m = faultvfs_find("-wal");

	return m == NULL ? 0 : m->unsynced;
}

/* What a power cut would leave now, written into the directory `to`. */
static void
faultvfs_power_cut(const char *to)
{
	for (int i = 0; i < FAULTVFS_IMAGES; i++) {
		struct faultvfs_image *m = &faultvfs_images[i];
		const char *slash = strrchr(m->name, '/');
		char path[1024];

		if (slash == NULL)
			continue;
		snprintf(path, sizeof path, "%s%s", to, slash);
		FILE *f = fopen(path, "w");
		assert(f != NULL);
		assert(fwrite(m->bytes, 1, m->len, f) == m->len);
		assert(fclose(f) == 0);
	}
}

#endif
