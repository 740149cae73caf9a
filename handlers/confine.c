/*
 * confine - limits and identity that a program takes on before its exec.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/confine.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handlers/in_child.h"

enum { IOPRIO_WHO_PROCESS = 1 }; /* <linux/ioprio.h> */

static size_t IN_CHILD
length(const char *text)
{
	size_t n = 0;

	while (text[n] != '\0')
		n++;
	return n;
}

static int IN_CHILD
set_oom_score(const char *text)
{
	size_t len = length(text);
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj",
	    O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	long n = syscall(SYS_write, fd, text, len);
	(void)syscall(SYS_close, fd);
	return n == (long)len ? 0 : -1;
}

int IN_CHILD
confine_limits(const struct confine *c)
{
	for (size_t i = 0; i < c->nlimits; i++) {
		const struct confine_limit *l = &c->limits[i];
		/* As the kernel has it: two 64-bit numbers. */
		unsigned long long both[2] = { l->value, l->value };

		if (l->value == RLIM_INFINITY)
			both[0] = both[1] = ~0ULL;
		if (syscall(SYS_prlimit64, 0, l->resource, both, NULL) < 0)
			return -1;
	}
	if (c->has_nice &&
	    syscall(SYS_setpriority, PRIO_PROCESS, 0, c->nice) < 0)
		return -1;
	if (c->io_priority != 0 &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, c->io_priority) < 0)
		return -1;
	return c->oom_score_adj[0] != '\0' ? set_oom_score(c->oom_score_adj)
					   : 0;
}

/*
 * A supervisor that is not root has its privileges from a service manager, as
 * ambient capabilities: they would outlast the exec.
 */
int IN_CHILD
confine_identity(const struct confine *c)
{
	if (!c->identity)
		return 0;
	(void)syscall(
	    SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_setgroups, c->ngroups, c->groups) < 0 ||
	    syscall(SYS_setresgid, c->gid, c->gid, c->gid) < 0 ||
	    syscall(SYS_setresuid, c->uid, c->uid, c->uid) < 0)
		return -1;
	return 0;
}
