/*
 * kin - whose the orphans are that programs leave to this process.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/kin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "handlers/descent.h"

enum { LOOKS = 8 };

LIST_HEAD(members, kin_member);

struct kin {
	struct members members;
	int orphans;                  /* descent_open() */
	char *spared[KIN_SPARED_MAX]; /* a ring */
	size_t nspared;               /* ever */
	void (*reap)(void *ctx);      /* or NULL */
	void *ctx;
};

bool
kin_sees(const struct kin *k)
{
	return k->orphans >= 0;
}

struct kin *
kin_new(void)
{
	struct kin *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	LIST_INIT(&k->members);
	k->orphans = descent_open();
	prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
	return k;
}

void
kin_free(struct kin *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < KIN_SPARED_MAX; i++)
		free(k->spared[i]);
	if (k->orphans >= 0)
		close(k->orphans);
	free(k);
}

void
kin_set_reaper(struct kin *k, void (*reap)(void *ctx), void *ctx)
{
	k->reap = reap;
	k->ctx = ctx;
}

void
kin_join(struct kin *k, struct kin_member *m)
{
	LIST_INSERT_HEAD(&k->members, m, link);
}

void
kin_leave(struct kin_member *m)
{
	LIST_REMOVE(m, link);
}

int
kin_spare(struct kin *k, const char *id)
{
	char *copy = strdup(id);

	if (copy == NULL)
		return -ENOMEM;
	char **place = &k->spared[k->nspared++ % KIN_SPARED_MAX];
	free(*place);
	*place = copy;
	return 0;
}

static bool
is_ours(const struct kin *k, pid_t pid)
{
	const struct kin_member *m;

	LIST_FOREACH(m, &k->members, link)
	if (m->leader == pid || m->init == pid)
		return true;
	return false;
}

static bool
is_id_of_another(
    const struct kin *k, const struct kin_member *mine, const char *id)
{
	const struct kin_member *m;

	LIST_FOREACH(m, &k->members, link)
	if (m != mine && m->id != NULL && strcmp(m->id, id) == 0)
		return true;
	for (size_t i = 0; i < KIN_SPARED_MAX; i++)
		if (k->spared[i] != NULL && strcmp(k->spared[i], id) == 0)
			return true;
	return false;
}

/* The start of a process's environment; empty when it cannot be read. */
static size_t
read_environment(pid_t pid, char *buf, size_t size)
{
	char path[64];
	size_t len = 0;
	ssize_t n = 0;

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (len < size && (n = read(fd, buf + len, size - len)) > 0)
		len += (size_t)n;
	close(fd);
	return len;
}

/* The dispatch that a process says it belongs to; "" when it says nothing. */
static void
read_id(pid_t pid, char *buf, char *id, size_t size)
{
	static const char wanted[] = KIN_VARIABLE "=";
	const size_t skip = sizeof wanted - 1;
	size_t len = read_environment(pid, buf, KIN_ENVIRON_MAX);

	id[0] = '\0';
	for (size_t at = 0; at < len;) {
		size_t entry = strnlen(buf + at, len - at);

		if (entry > skip && memcmp(buf + at, wanted, skip) == 0) {
			snprintf(id, size, "%.*s", (int)(entry - skip),
			    buf + at + skip);
			return;
		}
		at += entry + 1;
	}
}

static bool
is_for(const struct kin *k, const struct kin_member *m, pid_t pid, char *buf)
{
	char id[128];

	if (is_ours(k, pid) || !descent_is_alive(pid))
		return false;
	if (getpgid(pid) == m->leader)
		return true;
	read_id(pid, buf, id, sizeof id);
	return !is_id_of_another(k, m, id);
}

/* Those of the `all` in pids that are alive and m's; puts them in front. */
static size_t
choose(const struct kin *k, const struct kin_member *m, pid_t *pids, size_t all,
    char *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < all; i++)
		if (is_for(k, m, pids[i], buf))
			pids[n++] = pids[i];
	return n;
}

/*
 * That none is alive says nothing yet: while we looked, one of them may have
 * forked and ended. Then its child is in the next list, and was not in this
 * one; who has ended stays in it until we reap. So two lists must agree.
 */
size_t
kin_orphans(
    const struct kin *k, const struct kin_member *m, pid_t *pids, size_t max)
{
	size_t before = 0, all, n;
	pid_t newest = 0;

	if (descent_read(k->orphans, pids, 1) == 0)
		return 0;
	if (k->reap != NULL)
		k->reap(k->ctx);
	for (int look = 0; look < LOOKS; look++) {
		all = descent_read(k->orphans, pids, max);
		if (all == 0 ||
		    (all < max && all == before && pids[all - 1] == newest))
			return 0;
		before = all;
		newest = pids[all - 1];
		char *buf = malloc(KIN_ENVIRON_MAX);
		if (buf == NULL)
			return 0;
		n = choose(k, m, pids, all, buf);
		free(buf);
		if (n > 0)
			return n;
	}
	pids[0] = newest; /* it goes on, and nobody knows under which number */
	return 1;
}

void
kin_save(const struct kin *k, struct state_writer *w)
{
	size_t n = k->nspared < KIN_SPARED_MAX ? k->nspared : KIN_SPARED_MAX;

	state_put_int(w, (int64_t)n);
	for (size_t i = k->nspared - n; i < k->nspared; i++)
		state_put_text(w, k->spared[i % KIN_SPARED_MAX]);
}

void
kin_load(struct kin *k, struct state_reader *r)
{
	int64_t n = state_get_within(r, 0, KIN_SPARED_MAX);

	for (int64_t i = 0; i < n && !r->failed; i++) {
		char *id = state_get_text(r);

		if (id != NULL && kin_spare(k, id) < 0)
			r->failed = true;
		free(id);
	}
}
