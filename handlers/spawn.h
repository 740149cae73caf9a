/*
 * spawn - start a program with its pipes, or say exactly why not.
 *
 * The child shares our memory until exec (clone(2) with CLONE_VM and
 * CLONE_VFORK), so a big supervisor starts a program as fast as a small one;
 * the price is that between clone and exec only raw system calls are made.
 * The calling thread sleeps until exec has happened or failed. Only a program
 * that waits for its transient unit has a copy of our memory instead.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_SPAWN_H
#define HANDLERS_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "handlers/confine.h"
#include "handlers/pidspace.h"

struct pipes;
struct scope_request;

struct spawn_request {
	const char *path;    /* absolute */
	char *const *argv;   /* NULL-terminated */
	char *const *env;    /* the complete environment, NULL-terminated */
	const char *workdir; /* absolute */
	mode_t mask;         /* umask(2) */
	bool feed;           /* false: stdin is /dev/null */
	bool control;        /* descriptor 3 is a pipe to us; false: closed */
	bool outlive;        /* no KILL when the thread ends */
	int cgroup; /* cgroup_entrance() of where it is born; 0: with us */
	const struct confine *confine; /* NULL: as we are, no_new_privs */
	/* In a process namespace of its own that this program of ours keeps,
	 * see pidspace_make(); NULL: in our own. */
	const char *init;
	/* With init: both are put into this transient unit before exec, and
	 * *scope_why is filled when the stage is SPAWN_SCOPE. NULL: none. */
	const struct scope_request *scope;
	struct err *scope_why;
};

/* Descriptors are close-on-exec and non-blocking. -1 where there is none. */
struct spawn_child {
	pid_t pid;
	int pidfd; /* readable once the process has ended; for waitid(P_PIDFD) */
	int in;    /* we write: the program's stdin; -1 without feed */
	int out;   /* we read */
	int err;   /* we read */
	int control;           /* we read: descriptor 3; -1 without control */
	struct pidspace space; /* with init; the caller ends it */
	/* With scope: its control group; the caller frees it. */
	struct cgroup_leaf *leaf;
};

enum spawn_stage {
	SPAWN_PIPES,
	SPAWN_NAMESPACE, /* of processes, and its init */
	SPAWN_CLONE,
	SPAWN_CGROUP,  /* making it, or moving into it */
	SPAWN_SESSION, /* setsid */
	SPAWN_SCOPE,   /* see handlers/scope */
	SPAWN_STDIO,
	SPAWN_SANDBOX,  /* mounts, network */
	SPAWN_CONFINE,  /* limits */
	SPAWN_IDENTITY, /* user and groups */
	SPAWN_WORKDIR,
	SPAWN_LIMITS, /* subreaper, no_new_privs, the signal at our death */
	SPAWN_EXEC,
};

struct spawn_failure {
	enum spawn_stage stage;
	int errnum;
};

/*
 * Returns 0 and fills *child; the caller owns its descriptors and must reap
 * the pid. The child leads its own session and process group, has an empty
 * signal mask, default dispositions, no_new_privs, is the subreaper of what it
 * starts (prctl(2)), and has descriptors 0 to 2
 * only, with control 3 too. That one is a pipe rather than a socket, since
 * opening /dev/fd/3 fails for sockets. Unless it may outlive us it is sent KILL when the thread that called
 * spawn() ends, so that it does not outlive a supervisor that was itself
 * killed: call from a thread that stays. Replacing our own program by exec
 * ends every thread. Returns -1 and fills *why; then there is nothing to close or
 * reap. A file that is still being written (ETXTBSY) and a full process table
 * (EAGAIN) are tried again for a tenth of a second. With scope it also waits
 * for the service manager, up to SCOPE_PATIENCE.
 * May be called from several threads at once.
 */
int spawn(const struct spawn_request *req, struct spawn_child *child,
    struct spawn_failure *why);

/* The same with pipes that were made ready: it takes what it needs of them. */
int spawn_by(const struct spawn_request *req, struct pipes *ready,
    struct spawn_child *child, struct spawn_failure *why);

/* "pipes", "exec", ...: for messages. */
const char *spawn_stage_name(enum spawn_stage stage);

#endif
