/*
 * pair - a server and the supervisor that works from it, as two children.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define READY_WITHIN (INT64_C(60) * CLOCK_NS_PER_S)
#define GONE_WITHIN  (INT64_C(15) * CLOCK_NS_PER_S) /* after TERM */

struct child {
	const char *name;
	pid_t pid; /* 0: not running */
};

struct pair {
	const struct pair_plan *plan;
	struct child server;
	struct child supervisor;
	bool stopping;
	int status;
	int64_t kill_at;  /* clock_mono(); when the server has had its time */
	sigset_t signals; /* blocked here, taken by sigtimedwait(2) */
	sigset_t before;
};

/*
 * Each child leads its own process group, so that Ctrl-C reaches us alone and
 * the order of stopping is ours. If we are killed, the kernel ends them.
 */
static int
start(struct pair *p, struct child *c, char *const *argv)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0) {
		fprintf(stderr, "faktotum dev: fork: %s\n", strerror(errno));
		return -1;
	}
	if (pid > 0) {
		c->pid = pid;
		(void)setpgid(pid, pid);
		return 0;
	}
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EX_OSERR);
	(void)sigprocmask(SIG_SETMASK, &p->before, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "faktotum dev: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int
exit_status(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
	    WEXITSTATUS(status) < 126)
		return WEXITSTATUS(status);
	return EX_SOFTWARE;
}

static void
ended(struct pair *p, struct child *c, int status)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	c->pid = 0;
	if (p->stopping && clean)
		return;
	if (WIFSIGNALED(status))
		fprintf(stderr, "faktotum dev: the %s was ended by SIG%s\n",
		    c->name, sigabbrev_np(WTERMSIG(status)));
	else
		fprintf(stderr, "faktotum dev: the %s ended with status %d\n",
		    c->name, WEXITSTATUS(status));
	if (p->status == 0)
		p->status = exit_status(status);
	p->stopping = true;
}

static void
reap(struct pair *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->server.pid)
			ended(p, &p->server, status);
		else if (pid == p->supervisor.pid)
			ended(p, &p->supervisor, status);
	}
}

/* The supervisor first: its last words are for the server. */
static void
stop(struct pair *p)
{
	if (p->supervisor.pid > 0) {
		(void)kill(p->supervisor.pid, SIGTERM);
	} else if (p->server.pid > 0 && p->kill_at == 0) {
		(void)kill(p->server.pid, SIGTERM);
		p->kill_at = clock_mono() + GONE_WITHIN;
	}
}

/* Waits for one signal, at most so many milliseconds, and deals with it. */
static void
turn(struct pair *p, long ms)
{
	struct timespec limit = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};
	bool was_stopping = p->stopping;
	bool had_supervisor = p->supervisor.pid > 0;
	int sig = sigtimedwait(&p->signals, NULL, &limit);

	if (sig == SIGCHLD) {
		reap(p);
	} else if (sig > 0) {
		p->stopping = true;
		stop(p);
		return;
	}
	/* Once when it begins, once more when it is the server's turn. */
	if (p->stopping &&
	    (!was_stopping || (had_supervisor && p->supervisor.pid == 0)))
		stop(p);
	if (p->kill_at != 0 && clock_mono() > p->kill_at && p->server.pid > 0) {
		fputs(
		    "faktotum dev: the server ignores TERM; killed\n", stderr);
		(void)kill(p->server.pid, SIGKILL);
		p->kill_at = INT64_MAX;
	}
}

/* The port once the server has written it; else 0. */
static int
read_port(const char *file)
{
	char text[16];
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (int)strtol(text, NULL, 10);
}

/* The port the server listens on, or 0 when it is of no use to wait. */
static int
wait_until_ready(struct pair *p)
{
	int64_t until = clock_mono() + READY_WITHIN;
	int port = 0;

	while (!p->stopping && (port = read_port(p->plan->port_file)) == 0) {
		if (clock_mono() > until) {
			fputs("faktotum dev: the server does not get ready\n",
			    stderr);
			p->status = EX_UNAVAILABLE;
			p->stopping = true;
			stop(p);
			break;
		}
		turn(p, 10);
	}
	return p->stopping ? 0 : port;
}

static void
start_supervisor(struct pair *p, int port)
{
	char verb[] = "run", config_flag[] = "-c", server_flag[] = "--server";
	char url[320];
	char *argv[] = { p->plan->program, verb, config_flag, p->plan->config,
		server_flag, url, NULL };

	(void)snprintf(url, sizeof url, "tcp://%s:%d", p->plan->host, port);
	fprintf(stderr, "faktotum dev: server at %s\n", url);
	if (start(p, &p->supervisor, argv) < 0) {
		p->status = EX_OSERR;
		p->stopping = true;
		stop(p);
	}
}

int
pair_run(const struct pair_plan *plan)
{
	struct pair p = {
		.plan = plan,
		.server = { .name = "server" },
		.supervisor = { .name = "supervisor" },
	};

	(void)unlink(plan->port_file);
	(void)sigemptyset(&p.signals);
	(void)sigaddset(&p.signals, SIGINT);
	(void)sigaddset(&p.signals, SIGTERM);
	(void)sigaddset(&p.signals, SIGHUP);
	(void)sigaddset(&p.signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &p.signals, &p.before);

	if (start(&p, &p.server, plan->server) < 0)
		return EX_OSERR;
	int port = wait_until_ready(&p);
	if (port != 0)
		start_supervisor(&p, port);
	while (p.server.pid > 0 || p.supervisor.pid > 0)
		turn(&p, 1000);
	(void)sigprocmask(SIG_SETMASK, &p.before, NULL);
	return p.status;
}
