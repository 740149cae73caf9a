/*
 * shim - stands between a program and its C library: clocks, pipes and signals.
 *
 * What happens to files is in shim_files.c.
 *
 * For LD_PRELOAD by the fault rig. The environment says FAULTSHIM (the shared
 * page, see shim.h), FAULTSHIM_DATA (files below this directory are meant) and
 * FAULTSHIM_STEP (a FIFO: a byte tells a loop that the wall clock was set, as
 * the kernel does by a timerfd). Without FAULTSHIM nothing is changed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/fault/shim_inside.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

static struct shim_page nothing;
struct shim_page *shim_page = &nothing;
static const char *step;
static int step_fd = -1; /* stands for the loop's timerfd */

static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_timerfd)(int, int);
static int (*real_settime)(
    int, int, const struct itimerspec *, struct itimerspec *);
static int (*real_wait)(
    pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

/* A function pointer out of dlsym's data pointer, as POSIX has it. */
void
shim_find(void *where, const char *name, const char *version)
{
	void *found = version != NULL ? dlvsym(RTLD_NEXT, name, version) : NULL;

	if (found == NULL)
		found = dlsym(RTLD_NEXT, name);
	if (found == NULL)
		abort();
	memcpy(where, &found, sizeof found);
}

_Noreturn void
shim_give_up(const char *what)
{
	fprintf(stderr, "shim: %s: %s\n", what, strerror(errno));
	abort();
}

static void
find_all(void)
{
	shim_find(&real_timerfd, "timerfd_create", NULL);
	shim_find(&real_settime, "timerfd_settime", NULL);
	/* An older one has another form of the condition on x86-64. */
	shim_find(&real_wait, "pthread_cond_timedwait", "GLIBC_2.3.2");
	shim_files_begin();
	shim_find(&real_clock, "clock_gettime", NULL);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("FAULTSHIM");
	int fd;

	find_all();
	if (path == NULL)
		return;
	step = getenv("FAULTSHIM_STEP");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	void *p = mmap(
	    NULL, sizeof *shim_page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	shim_page = p;
}

/* ---- clocks -------------------------------------------------------------- */

static void
shift(struct timespec *t, int64_t by)
{
	int64_t ns = t->tv_nsec + by % NS_PER_S;

	t->tv_sec += by / NS_PER_S;
	if (ns < 0) {
		ns += NS_PER_S;
		t->tv_sec--;
	} else if (ns >= NS_PER_S) {
		ns -= NS_PER_S;
		t->tv_sec++;
	}
	t->tv_nsec = ns;
}

static int64_t
ahead(clockid_t which)
{
	int64_t by = which == CLOCK_REALTIME ? get(&shim_page->wall)
	    : which == CLOCK_MONOTONIC       ? get(&shim_page->mono)
					     : 0;
	if (by != 0)
		count(&shim_page->clocks_asked);
	return by;
}

int
clock_gettime(clockid_t which, struct timespec *t)
{
	int r;

	if (real_clock == NULL) /* another library's constructor */
		shim_find(&real_clock, "clock_gettime", NULL);
	if (get(&shim_page->leak) > 0) {
		char *volatile lost = malloc((size_t)get(&shim_page->leak));

		if (lost != NULL)
			memset(lost, 1, (size_t)get(&shim_page->leak));
	}
	r = real_clock(which, t);
	if (r == 0)
		shift(t, ahead(which));
	return r;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (out != NULL)
		*out = t.tv_sec;
	return t.tv_sec;
}

/* libev has a timer that only tells it when the wall clock was set. */
int
timerfd_create(int which, int flags)
{
	if (which != CLOCK_REALTIME || step == NULL)
		return real_timerfd(which, flags);
	step_fd = open(step, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return step_fd;
}

int
timerfd_settime(
    int fd, int flags, const struct itimerspec *in, struct itimerspec *out)
{
	char told[64];

	if (fd != step_fd || fd < 0)
		return real_settime(fd, flags, in, out);
	while (read(fd, told, sizeof told) > 0)
		continue;
	return 0;
}

/* Both programs give these waits the monotonic clock. */
int
pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
    const struct timespec *restrict until)
{
	struct timespec t = *until;

	shift(&t, -get(&shim_page->mono));
	return real_wait(c, m, &t);
}

/* ---- signals and pipes --------------------------------------------------- */

bool
shim_waits(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

/* The numbers are those of Numerical Recipes. */
bool
shim_interrupts(bool waiting)
{
	static __thread uint32_t chance;
	int64_t each = get(&shim_page->interrupt);

	if (each < 2 || !waiting)
		return false;
	chance = chance * 1664525U + 1013904223U;
	if ((chance >> 16) % (uint32_t)each != 0)
		return false;
	count(&shim_page->interrupted);
	errno = EINTR;
	return true;
}

/* The real one, when no signal has come. */
#define CALL(waiting, name, ...)                                               \
	static __typeof__(&name) real;                                         \
	if (real == NULL)                                                      \
		shim_find(&real, #name, NULL);                                 \
	return shim_interrupts(waiting) ? -1 : real(__VA_ARGS__)

ssize_t
read(int fd, void *to, size_t len)
{
	CALL(shim_waits(fd), read, fd, to, len);
}

ssize_t
recv(int fd, void *to, size_t len, int flags)
{
	CALL(shim_waits(fd), recv, fd, to, len, flags);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	CALL(shim_waits(fd), send, fd, bytes, len, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	CALL(shim_waits(fd), sendmsg, fd, m, flags);
}

int
waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	CALL((options & WNOHANG) == 0, waitid, type, id, info, options);
}

pid_t
wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	CALL((options & WNOHANG) == 0, wait4, pid, status, options, usage);
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	CALL(timeout != 0, epoll_wait, fd, events, max, timeout);
}

int
pipe2(int fd[2], int flags)
{
	static int (*real)(int[2], int);
	if (real == NULL)
		shim_find(&real, "pipe2", NULL);
	int r = real(fd, flags);
	if (r == 0 && get(&shim_page->small_pipes) != 0 &&
	    fcntl(fd[0], F_SETPIPE_SZ, 4096) > 0)
		count(&shim_page->pipes_made);
	return r;
}
