/*
 * spawn: a program starts with exactly what was asked for and nothing of ours,
 * or the caller hears at which step and why it did not, with nothing left over.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "handlers/in_child.h"
#include "tests/unit/descriptors.h"

static char *const no_env[] = { NULL };

/* argv from literals, ended by NULL; good until the next call. */
static char *const *
words(const char *first, ...)
{
	static char store[8][512];
	static char *argv[9];
	size_t n = 0;
	va_list more;

	va_start(more, first);
	for (const char *w = first; w != NULL; w = va_arg(more, const char *)) {
		snprintf(store[n], sizeof store[n], "%s", w);
		argv[n] = store[n];
		n++;
	}
	va_end(more);
	argv[n] = NULL;
	return argv;
}

static struct spawn_request
program(const char *path, char *const *argv)
{
	return (struct spawn_request){ .path = path,
		.argv = argv,
		.env = no_env,
		.workdir = "/",
		.mask = 022 };
}

/* Reads a non-blocking descriptor to its end and closes it. */
static void
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		poll(&p, 1, -1);
		ssize_t n = read(fd, text + len, size - 1 - len);
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		else
			assert_true(errno == EAGAIN || errno == EINTR);
	}
	text[len] = '\0';
	close(fd);
}

/* Collects both outputs, then reaps. Returns the wait status. */
static int
finish(struct spawn_child *c, char *out, char *err, size_t size)
{
	int status;

	if (c->in >= 0)
		close(c->in);
	read_all(c->out, out, size);
	read_all(c->err, err, size);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	close(c->pidfd);
	return status;
}

/* What a shell script prints when it is started by a request. */
static void
run_script(const char *script, char *out, size_t size)
{
	char err[4096];
	struct spawn_child c;
	struct spawn_failure why;
	struct spawn_request req =
	    program("/bin/sh", words("sh", "-c", script, NULL));

	assert_int_equal(spawn(&req, &c, &why), 0);
	int status =
	    finish(&c, out, err, size < sizeof err ? size : sizeof err);
	assert_string_equal(err, "");
	assert_int_equal(status, 0);
}

/*
 * Valgrind 3.19 stops with an assertion of its own when a clone fails, and
 * cannot return to the program from an execve that fails late.
 */
static bool
under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static void
argv_env_and_both_outputs_arrive(void **state)
{
	char name[] = "NAME=x y", path[] = "PATH=/nowhere";
	char *env[] = { name, path, NULL };
	struct spawn_request req = program("/bin/sh",
	    words("name-of-its-own", "-c",
		"echo \"$1|$NAME|$PATH\"; echo oops >&2; exit 7", "sh",
		"a b\"c", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[256], err[256];

	(void)state;
	req.env = env;
	assert_int_equal(spawn(&req, &c, &why), 0);
	assert_int_equal(c.in, -1);
	int status = finish(&c, out, err, sizeof out);
	assert_string_equal(out, "a b\"c|x y|/nowhere\n");
	assert_string_equal(err, "oops\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
what_we_write_is_its_stdin(void **state)
{
	struct spawn_request req = program("/bin/cat", words("cat", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[256], err[256];

	(void)state;
	req.feed = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	assert_int_equal(write(c.in, "hello", 5), 5);
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	assert_string_equal(out, "hello");
}

static void
without_feed_stdin_is_at_its_end(void **state)
{
	char out[256];

	(void)state;
	run_script("cat; readlink /proc/self/fd/0", out, sizeof out);
	assert_string_equal(out, "/dev/null\n");
}

static void
our_ends_do_not_block_and_die_at_exec_and_its_ends_block(void **state)
{
	struct spawn_request req = program("/bin/sh",
	    words("sh", "-c", "grep ^flags /proc/$$/fdinfo/[012]", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[512], err[256];

	(void)state;
	req.feed = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	int fds[] = { c.pidfd, c.in, c.out, c.err };
	for (size_t i = 0; i < 4; i++) {
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		if (i > 0)
			assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
	}
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	/* Access mode alone: neither O_NONBLOCK (04000) nor O_CLOEXEC. */
	const char *want[] = { "0:flags:\t00\n", "1:flags:\t01\n",
		"2:flags:\t01\n" };
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(out, want[i]));
}

static void
it_inherits_descriptors_0_to_2_only(void **state)
{
	char out[256];
	/* Of the careless kind: not close-on-exec. */
	int careless = open("/dev/null", O_RDONLY);
	int far = dup2(careless, 200);

	(void)state;
	assert_true(careless >= 0 && far == 200);
	run_script("ls /proc/$$/fd; :", out, sizeof out);
	close(careless);
	close(far);
	assert_string_equal(out, "0\n1\n2\n");
}

static void
with_control_descriptor_3_is_a_pipe_that_can_be_opened(void **state)
{
	struct spawn_request req = program("/bin/sh",
	    words("sh", "-c",
		"echo one >&3; echo two >/dev/fd/3; ls /proc/$$/fd; :", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[256], err[256], said[64] = "";

	(void)state;
	req.control = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	assert_true(c.control > STDERR_FILENO);
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	assert_string_equal(out, "0\n1\n2\n3\n");
	assert_int_equal(read(c.control, said, sizeof said - 1), 8);
	assert_string_equal(said, "one\ntwo\n");
	assert_int_equal(read(c.control, said, sizeof said), 0);
	close(c.control);
}

static void
it_starts_with_the_attributes_of_the_contract(void **state)
{
	struct spawn_request req =
	    program("/bin/cat", words("cat", "/proc/self/status", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[8192], err[256];
	sigset_t some, before;

	(void)state;
	req.mask = 027;
	/* Ours must not be inherited: an ignored and a blocked signal. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	in_child_signals_changed();
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigprocmask(SIG_BLOCK, &some, &before);
	assert_int_equal(spawn(&req, &c, &why), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);

	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	assert_non_null(strstr(out, "\nSigBlk:\t0000000000000000\n"));
	assert_non_null(strstr(out, "\nSigIgn:\t0000000000000000\n"));
	assert_non_null(strstr(out, "\nNoNewPrivs:\t1\n"));
	assert_non_null(strstr(out, "\nUmask:\t0027\n"));
}

static void
it_leads_its_own_session_and_group_in_its_directory(void **state)
{
	char out[256], want[256];
	long pid, group, session;
	int tty;

	(void)state;
	run_script("cut -d' ' -f1,5,6,7 /proc/$$/stat; pwd", out, sizeof out);
	assert_int_equal(
	    sscanf(out, "%ld %ld %ld %d", &pid, &group, &session, &tty), 4);
	snprintf(want, sizeof want, "%ld %ld %ld 0\n/\n", pid, pid, pid);
	assert_string_equal(out, want);
	assert_int_not_equal(pid, getpid());
}

static void
failures_name_their_stage_and_leave_nothing(void **state)
{
	static const struct {
		const char *path, *workdir;
		enum spawn_stage stage;
		int errnum;
		const char *name;
	} cases[] = {
		{ "/no/such/program", "/", SPAWN_EXEC, ENOENT, "exec" },
		{ "/etc/passwd", "/", SPAWN_EXEC, EACCES, "exec" },
		{ "/", "/", SPAWN_EXEC, EACCES, "exec" },
		{ "/bin/sh", "/no/such", SPAWN_WORKDIR, ENOENT, "workdir" },
		{ "/bin/sh", "/etc/passwd", SPAWN_WORKDIR, ENOTDIR, "workdir" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spawn_request req = program("/bin/sh", words("x", NULL));
		struct spawn_child c = { .pid = 42 };
		struct spawn_failure why;
		size_t before = open_descriptors();

		req.path = cases[i].path;
		req.workdir = cases[i].workdir;
		req.feed = true;
		assert_int_equal(spawn(&req, &c, &why), -1);
		assert_int_equal(why.stage, cases[i].stage);
		assert_int_equal(why.errnum, cases[i].errnum);
		assert_string_equal(spawn_stage_name(why.stage), cases[i].name);
		assert_int_equal(c.pid, 42);
		assert_int_equal(open_descriptors(), before);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

static void
no_more_descriptors_is_a_failure_of_the_pipes(void **state)
{
	struct spawn_request req = program("/bin/true", words("true", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	struct rlimit before, few;
	int taken[64];
	size_t n = 0;

	(void)state;
	req.feed = true;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (n < 64 && (taken[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	/* A fourth one brings the report, where no memory is shared. */
	const size_t ends = under_valgrind() ? 8 : 6;
	/* However few are missing, all that were opened are closed again. */
	for (size_t spare = 0; spare < ends; spare++) {
		assert_int_equal(spawn(&req, &c, &why), -1);
		assert_int_equal(why.errnum, EMFILE);
		assert_int_equal(why.stage, SPAWN_PIPES);
		close(taken[--n]);
	}
	/* The pipes fit, the pidfd does not. */
	if (!under_valgrind()) {
		assert_int_equal(spawn(&req, &c, &why), -1);
		assert_int_equal(why.errnum, EMFILE);
		assert_int_equal(why.stage, SPAWN_CLONE);
	}
	while (n > 0)
		close(taken[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(spawn(&req, &c, &why), 0);
	char out[16], err[16];
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
}

static void
a_file_that_stays_open_for_writing_is_told_after_some_tries(void **state)
{
	(void)state;
	if (under_valgrind())
		skip();

	char path[] = "/tmp/test_spawn.XXXXXX";
	int fd = mkstemp(path);
	int program_fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	struct spawn_request req = program(path, words("x", NULL));
	struct spawn_child c;
	struct spawn_failure why = { 0 };

	assert_true(fd >= 0 && program_fd >= 0);
	bool copied = sendfile(fd, program_fd, NULL, 1 << 20) > 0;
	int mode = fchmod(fd, 0700);
	int64_t before = clock_mono();
	int result = spawn(&req, &c, &why);
	int64_t took = clock_mono() - before;
	close(program_fd);
	close(fd);
	unlink(path);
	assert_true(copied && mode == 0);
	assert_int_equal(result, -1);
	assert_int_equal(why.stage, SPAWN_EXEC);
	assert_int_equal(why.errnum, ETXTBSY);
	assert_true(took >= 90 * CLOCK_NS_PER_MS);
}

/* In a process of its own, because it closes the test's output. */
static void
closed_standard_descriptors_of_ours_do_not_matter(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct spawn_request req = program(
		    "/bin/sh", words("sh", "-c", "cat; echo no >&2", NULL));
		struct spawn_child c;
		struct spawn_failure why;
		char out[64], err[64];

		for (int fd = 0; fd < 3; fd++)
			close(fd);
		req.feed = true;
		if (spawn(&req, &c, &why) < 0 || write(c.in, "yes", 3) != 3)
			_exit(1);
		if (finish(&c, out, err, sizeof out) != 0)
			_exit(2);
		_exit(strcmp(out, "yes") != 0 || strcmp(err, "no\n") != 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
the_pidfd_becomes_readable_when_it_ends(void **state)
{
	struct spawn_request req = program("/bin/cat", words("cat", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[16], err[16];

	(void)state;
	req.feed = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	struct pollfd p = { .fd = c.pidfd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	close(c.in);
	c.in = -1;
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
}

struct ending {
	struct spawn_child child;
	int result;
};

static void *
spawn_and_end(void *arg)
{
	struct ending *e = arg;
	struct spawn_request req = program("/bin/cat", words("cat", NULL));
	struct spawn_failure why;

	req.feed = true;
	e->result = spawn(&req, &e->child, &why);
	return NULL;
}

static void
it_is_killed_when_the_thread_that_started_it_ends(void **state)
{
	struct ending e;
	pthread_t thread;
	char out[16], err[16];

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, spawn_and_end, &e), 0);
	pthread_join(thread, NULL);
	assert_int_equal(e.result, 0);
	struct pollfd p = { .fd = e.child.pidfd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 60000), 1);
	int status = finish(&e.child, out, err, sizeof out);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static pid_t test_pid;
static volatile sig_atomic_t handled_here, handled_elsewhere;

static void
note_process(int sig)
{
	(void)sig;
	if (getpid() == test_pid)
		handled_here = 1;
	else
		handled_elsewhere = 1;
}

/*
 * Signals to the whole group while programs start: a handler of ours that ran
 * in a child would write to our memory.
 */
static void
our_signal_handlers_never_run_in_a_child(void **state)
{
	struct spawn_request req = program("/bin/true", words("true", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[16], err[16];

	(void)state;
	struct sigaction on = { .sa_handler = note_process,
		.sa_flags = SA_RESTART };
	test_pid = getpid();
	assert_int_equal(sigaction(SIGUSR1, &on, NULL), 0);
	in_child_signals_changed();
	pid_t teaser = fork();
	if (teaser == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		signal(SIGUSR1, SIG_IGN);
		for (;;)
			kill(0, SIGUSR1);
	}
	for (int i = 0; i < 50; i++) {
		assert_int_equal(spawn(&req, &c, &why), 0);
		int status = finish(&c, out, err, sizeof out);
		/* It may be hit before it has its own group, never ours. */
		assert_true(status == 0 || WTERMSIG(status) == SIGUSR1);
	}
	kill(teaser, SIGKILL);
	waitpid(teaser, NULL, 0);
	assert_true(handled_here);
	assert_false(handled_elsewhere);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(argv_env_and_both_outputs_arrive),
		cmocka_unit_test(what_we_write_is_its_stdin),
		cmocka_unit_test(without_feed_stdin_is_at_its_end),
		cmocka_unit_test(
		    our_ends_do_not_block_and_die_at_exec_and_its_ends_block),
		cmocka_unit_test(it_inherits_descriptors_0_to_2_only),
		cmocka_unit_test(
		    with_control_descriptor_3_is_a_pipe_that_can_be_opened),
		cmocka_unit_test(it_starts_with_the_attributes_of_the_contract),
		cmocka_unit_test(
		    it_leads_its_own_session_and_group_in_its_directory),
		cmocka_unit_test(failures_name_their_stage_and_leave_nothing),
		cmocka_unit_test(no_more_descriptors_is_a_failure_of_the_pipes),
		cmocka_unit_test(
		    a_file_that_stays_open_for_writing_is_told_after_some_tries),
		cmocka_unit_test(
		    closed_standard_descriptors_of_ours_do_not_matter),
		cmocka_unit_test(the_pidfd_becomes_readable_when_it_ends),
		cmocka_unit_test(
		    it_is_killed_when_the_thread_that_started_it_ends),
		cmocka_unit_test(our_signal_handlers_never_run_in_a_child),
	};

	setpgid(0, 0); /* the group that gets signals is ours alone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
