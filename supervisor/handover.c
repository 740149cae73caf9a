/*
 * handover - memfd_create, fcntl, execve.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/write_all.h"

enum { CHILDREN_MAX = 100000 };

/* The state in a memfd, which is inherited. Returns -1 with *e set. */
static int
put_away(const struct state_writer *w, struct err *e)
{
	struct buf *whole = buf_new(HANDOVER_MAX);
	int r =
	    whole != NULL ? state_seal(w, HANDOVER_VERSION, whole) : -ENOMEM;
	/* NOLINTNEXTLINE(android-cloexec-memfd-create): exec is what it is for */
	int fd = r == 0 ? memfd_create("faktotum-state", 0) : -1;

	if (r < 0) {
		err_set(e, -r, "the state: %s", strerror(-r));
	} else if (fd < 0 ||
	    write_all(fd, buf_front(whole), buf_len(whole)) < 0) {
		err_set(e, errno, "memfd: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	buf_free(whole);
	return fd;
}

static void
set_inherited(const struct state_writer *w, bool inherited)
{
	for (size_t i = 0; i < w->nfds; i++)
		(void)fcntl(w->fds[i], F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

int
handover_exec(const struct state_writer *w, const char *path, char *const *argv,
    struct err *e)
{
	sigset_t all, before;
	char number[16];
	int fd = put_away(w, e);

	if (fd < 0)
		return -e->code;
	snprintf(number, sizeof number, "%d", fd);
	if (setenv(HANDOVER_VARIABLE, number, 1) < 0) {
		close(fd);
		return err_set(e, ENOMEM, "out of memory");
	}
	set_inherited(w, true);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	execv(path, argv);
	int failed = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	set_inherited(w, false);
	unsetenv(HANDOVER_VARIABLE);
	close(fd);
	return err_set(e, failed, "exec %s: %s", path, strerror(failed));
}

static int
read_all(int fd, char **bytes, size_t *len, struct err *e)
{
	struct stat st;
	size_t have = 0;

	if (fstat(fd, &st) < 0 || st.st_size > HANDOVER_MAX)
		return err_set(e, EINVAL, "no state in it");
	*bytes = malloc((size_t)st.st_size + 1);
	if (*bytes == NULL)
		return err_set(e, ENOMEM, "out of memory");
	while (have < (size_t)st.st_size) {
		ssize_t n = pread(
		    fd, *bytes + have, (size_t)st.st_size - have, (off_t)have);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			break;
		if (n > 0)
			have += (size_t)n;
	}
	*len = have;
	return 0;
}

int
handover_take(struct handover *h, struct err *e)
{
	const char *number = getenv(HANDOVER_VARIABLE);
	size_t len = 0;
	char *end;

	*h = (struct handover){ 0 };
	if (number == NULL)
		return 0;
	long fd = strtol(number, &end, 10);
	bool good =
	    *number != '\0' && *end == '\0' && fd > 2 && fd <= STATE_FDS_MAX;
	unsetenv(HANDOVER_VARIABLE);
	if (!good)
		return err_set(e, EINVAL, "handover: no descriptor");
	int r = read_all((int)fd, &h->bytes, &len, e);
	close((int)fd);
	if (r == 0 &&
	    state_open(&h->reader, h->bytes, len, HANDOVER_VERSION) < 0)
		r = err_set(
		    e, EINVAL, "the state is damaged, or of another version");
	if (r < 0) {
		handover_clear(h);
		return err_wrap(e, "handover");
	}
	return 1;
}

void
handover_clear(struct handover *h)
{
	free(h->bytes);
	*h = (struct handover){ 0 };
}

static void
end_child(pid_t pid)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

size_t
handover_orphan(bool (*owns)(void *ctx, pid_t pid), void *ctx)
{
	char name[64];
	int *pids = calloc(CHILDREN_MAX, sizeof *pids);
	size_t n = 0, killed = 0;

	snprintf(name, sizeof name, "/proc/self/task/%d/children", getpid());
	FILE *f = fopen(name, "re");
	while (f != NULL && pids != NULL && n < CHILDREN_MAX &&
	    fscanf(f, "%d", &pids[n]) == 1)
		n++;
	if (f != NULL)
		fclose(f);
	for (size_t i = 0; i < n; i++) {
		if (owns != NULL && owns(ctx, pids[i]))
			continue;
		end_child(pids[i]);
		killed++;
	}
	free(pids);
	return killed;
}

void
handover_hush(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

void
handover_listen(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
