/*
 * shim - stands between a program and its C library: clocks, writes, syncs,
 * pipes and signals.
 *
 * For LD_PRELOAD by the fault rig. The environment says FAULTSHIM (the shared
 * page, see shim.h), FAULTSHIM_DATA (files below this directory are meant) and
 * FAULTSHIM_STEP (a FIFO: a byte tells a loop that the wall clock was set, as
 * the kernel does by a timerfd). Without FAULTSHIM nothing is changed.
 *
 * With `undo` each file below DATA gets one beside it, named .undo, that says
 * what a power cut would take back: the bytes that were there before each
 * write since the last sync. A sync empties it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/fault/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

static struct shim_page nothing;
static struct shim_page *page = &nothing;
static const char *data, *step;
static size_t data_len;
static int step_fd = -1; /* stands for the loop's timerfd */
static pthread_mutex_t undoing = PTHREAD_MUTEX_INITIALIZER;

static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_timerfd)(int, int);
static int (*real_settime)(
    int, int, const struct itimerspec *, struct itimerspec *);
static int (*real_wait)(
    pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);

/* A function pointer out of dlsym's data pointer, as POSIX has it. */
static void
find(void *where, const char *name, const char *version)
{
	void *found = version != NULL ? dlvsym(RTLD_NEXT, name, version) : NULL;

	if (found == NULL)
		found = dlsym(RTLD_NEXT, name);
	if (found == NULL)
		abort();
	memcpy(where, &found, sizeof found);
}

/* The rig must not take our trouble for the program's. */
static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "shim: %s: %s\n", what, strerror(errno));
	abort();
}

static void
find_all(void)
{
	find(&real_timerfd, "timerfd_create", NULL);
	find(&real_settime, "timerfd_settime", NULL);
	/* An older one has another form of the condition on x86-64. */
	find(&real_wait, "pthread_cond_timedwait", "GLIBC_2.3.2");
	find(&real_pwrite, "pwrite64", NULL);
	find(&real_write, "write", NULL);
	find(&real_fsync, "fsync", NULL);
	find(&real_fdatasync, "fdatasync", NULL);
	find(&real_ftruncate, "ftruncate64", NULL);
	find(&real_clock, "clock_gettime", NULL);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("FAULTSHIM");
	int fd;

	find_all();
	if (path == NULL)
		return;
	data = getenv("FAULTSHIM_DATA");
	data_len = data != NULL ? strlen(data) : 0;
	step = getenv("FAULTSHIM_STEP");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	void *p =
	    mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	page = p;
}

static int64_t
get(const int64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static void
count(int64_t *value)
{
	__atomic_add_fetch(value, 1, __ATOMIC_RELAXED);
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
	int64_t by = which == CLOCK_REALTIME ? get(&page->wall)
	    : which == CLOCK_MONOTONIC       ? get(&page->mono)
					     : 0;
	if (by != 0)
		count(&page->clocks_asked);
	return by;
}

int
clock_gettime(clockid_t which, struct timespec *t)
{
	int r;

	if (real_clock == NULL) /* another library's constructor */
		find(&real_clock, "clock_gettime", NULL);
	if (get(&page->leak) > 0) {
		char *volatile lost = malloc((size_t)get(&page->leak));

		if (lost != NULL)
			memset(lost, 1, (size_t)get(&page->leak));
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

	shift(&t, -get(&page->mono));
	return real_wait(c, m, &t);
}

/* ---- files --------------------------------------------------------------- */

/* Whether fd is a file below DATA; its path is then in `path`. */
static bool
is_data(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (data_len == 0)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 8);
	if (n <= (ssize_t)data_len)
		return false;
	path[n] = '\0';
	/* Shared memory between processes, and no data. */
	if (n > 4 && strcmp(path + n - 4, "-shm") == 0)
		return false;
	return strncmp(path, data, data_len) == 0 && path[data_len] == '/';
}

static bool
is_quiet(void)
{
	return get(&page->write_error) == 0 && get(&page->sync_error) == 0 &&
	    get(&page->sync_ms) == 0 && get(&page->sync_lies) == 0 &&
	    get(&page->undo) == 0;
}

/* What will be changed at `at`, written beside the file. */
static void
remember(int fd, char path[PATH_MAX], off_t at, size_t len)
{
	int64_t head[3];
	struct stat st;
	char *old = malloc(len > 0 ? len : 1);

	if (old == NULL || fstat(fd, &st) < 0)
		give_up(path);
	/* By this descriptor: to open and close the file once more would take
	 * away the locks that the process has on it. */
	ssize_t n = len > 0 ? pread(fd, old, len, at) : 0;
	if (n < 0)
		give_up(path);
	head[0] = st.st_size;
	head[1] = at;
	head[2] = n;
	strcat(path, ".undo");
	int out = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (out < 0 || real_write(out, head, sizeof head) < 0 ||
	    (n > 0 && real_write(out, old, (size_t)n) != n))
		give_up(path);
	close(out);
	free(old);
}

/* Returns the errno to fail with, 0: none. */
static int
meet(const int64_t *error, int64_t *met)
{
	int e = (int)get(error);

	if (e == 0)
		return 0;
	if (error == &page->write_error && get(&page->write_good) > 0 &&
	    __atomic_sub_fetch(&page->write_good, 1, __ATOMIC_RELAXED) >= 0)
		return 0;
	count(met);
	return e;
}

static ssize_t
put(int fd, const void *bytes, size_t len, off_t at, bool here)
{
	char path[PATH_MAX];
	int e;

	if (is_quiet() || !is_data(fd, path))
		return here ? real_write(fd, bytes, len)
			    : real_pwrite(fd, bytes, len, at);
	if (get(&page->undo) != 0) {
		off_t from = here ? lseek(fd, 0, SEEK_CUR) : at;

		pthread_mutex_lock(&undoing);
		remember(fd, path, from, len);
		pthread_mutex_unlock(&undoing);
	}
	e = meet(&page->write_error, &page->writes_met);
	if (e == 0)
		return here ? real_write(fd, bytes, len)
			    : real_pwrite(fd, bytes, len, at);
	if (get(&page->write_torn) != 0 && len > 1)
		(void)(here ? real_write(fd, bytes, len / 2)
			    : real_pwrite(fd, bytes, len / 2, at));
	errno = e;
	return -1;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
	return put(fd, bytes, len, at, false);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return put(fd, bytes, len, at, false);
}

/* ---- signals and pipes --------------------------------------------------- */

/* A call that cannot wait cannot be interrupted either. */
static bool
waits(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

/*
 * As if a signal had come, by chance: a fixed turn could meet the same call of
 * a loop each time. The numbers are those of Numerical Recipes.
 */
static bool
is_interrupted(bool waiting)
{
	static __thread uint32_t chance;
	int64_t each = get(&page->interrupt);

	if (each < 2 || !waiting)
		return false;
	chance = chance * 1664525U + 1013904223U;
	if ((chance >> 16) % (uint32_t)each != 0)
		return false;
	count(&page->interrupted);
	errno = EINTR;
	return true;
}

/* The real one, when no signal has come. */
#define CALL(waiting, name, ...)                                               \
	static __typeof__(&name) real;                                         \
	if (real == NULL)                                                      \
		find(&real, #name, NULL);                                      \
	return is_interrupted(waiting) ? -1 : real(__VA_ARGS__)

ssize_t
read(int fd, void *to, size_t len)
{
	CALL(waits(fd), read, fd, to, len);
}

ssize_t
recv(int fd, void *to, size_t len, int flags)
{
	CALL(waits(fd), recv, fd, to, len, flags);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	CALL(waits(fd), send, fd, bytes, len, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	CALL(waits(fd), sendmsg, fd, m, flags);
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
		find(&real, "pipe2", NULL);
	int r = real(fd, flags);
	if (r == 0 && get(&page->small_pipes) != 0 &&
	    fcntl(fd[0], F_SETPIPE_SZ, 4096) > 0)
		count(&page->pipes_made);
	return r;
}

/* ---- files again --------------------------------------------------------- */

/* May be called before the constructor has run. */
ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (real_write == NULL)
		find(&real_write, "write", NULL);
	if (get(&page->interrupt) != 0 && is_interrupted(waits(fd)))
		return -1;
	return put(fd, bytes, len, 0, true);
}

static int
sync_it(int fd, int (*really)(int))
{
	char path[PATH_MAX];
	int e, r;

	if (is_quiet() || !is_data(fd, path))
		return really(fd);
	if (get(&page->sync_ms) > 0) {
		const struct timespec t = {
			.tv_sec = get(&page->sync_ms) / 1000,
			.tv_nsec = get(&page->sync_ms) % 1000 * 1000000,
		};

		count(&page->syncs_met);
		nanosleep(&t, NULL);
	}
	e = meet(&page->sync_error, &page->syncs_met);
	if (e != 0) {
		errno = e;
		return -1;
	}
	if (get(&page->sync_lies) != 0) {
		count(&page->syncs_met);
		return 0;
	}
	r = really(fd);
	if (r == 0 && get(&page->undo) != 0) {
		strcat(path, ".undo");
		pthread_mutex_lock(&undoing);
		if (truncate(path, 0) < 0 && errno != ENOENT)
			give_up(path);
		pthread_mutex_unlock(&undoing);
	}
	return r;
}

int
fsync(int fd)
{
	return sync_it(fd, real_fsync);
}

int
fdatasync(int fd)
{
	return sync_it(fd, real_fdatasync);
}

static int
cut(int fd, off_t len)
{
	char path[PATH_MAX];
	struct stat st;

	if (!is_quiet() && get(&page->undo) != 0 && is_data(fd, path) &&
	    fstat(fd, &st) == 0) {
		size_t gone = st.st_size > len ? (size_t)(st.st_size - len) : 0;

		pthread_mutex_lock(&undoing);
		remember(fd, path, len, gone);
		pthread_mutex_unlock(&undoing);
	}
	return real_ftruncate(fd, len);
}

int
ftruncate64(int fd, off_t len)
{
	return cut(fd, len);
}

int
ftruncate(int fd, off_t len)
{
	return cut(fd, len);
}
