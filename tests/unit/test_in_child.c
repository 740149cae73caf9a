/*
 * in_child: what a program starts with is its own: no descriptor, signal mask,
 * handler, session or directory of ours, and no life beyond ours.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/in_child.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "handlers/spawn.h"
#include "tests/unit/spawn_child.h"

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
		cmocka_unit_test(it_inherits_descriptors_0_to_2_only),
		cmocka_unit_test(it_starts_with_the_attributes_of_the_contract),
		cmocka_unit_test(
		    it_leads_its_own_session_and_group_in_its_directory),
		cmocka_unit_test(
		    it_is_killed_when_the_thread_that_started_it_ends),
		cmocka_unit_test(our_signal_handlers_never_run_in_a_child),
	};

	setpgid(0, 0); /* the group that gets signals is ours alone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
