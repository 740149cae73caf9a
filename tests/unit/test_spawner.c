/*
 * spawner: every start that was asked for is answered once, on the loop, and a
 * program that hangs in exec keeps neither the loop nor the others waiting.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/spawner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/descriptors.h"

static char *const no_env[] = { NULL };
static char word[] = "x";
static char *const one_word[] = { word, NULL };

static const struct spawn_request true_request = { .path = "/bin/true",
	.argv = one_word,
	.env = no_env,
	.workdir = "/",
	.mask = 022,
	.feed = true };
static const struct spawn_request missing_request = { .path = "/no/such",
	.argv = one_word,
	.env = no_env,
	.workdir = "/",
	.mask = 022 };
/* Waits for its stdin to end, which is never while we hold the other end. */
static const struct spawn_request waiting_request = { .path = "/bin/cat",
	.argv = (char *const[]){ word, NULL },
	.env = no_env,
	.workdir = "/",
	.mask = 022,
	.feed = true };

struct tally {
	struct spawner *spawner;
	struct ev_loop *loop;
	pthread_t thread;
	int wanted; /* more to start, each from the done of another */
	int started, failed;
	int last_errnum;
};

static void
close_child(const struct spawn_child *c)
{
	if (c->in >= 0)
		close(c->in);
	close(c->out);
	close(c->err);
	close(c->pidfd);
}

static void
count(void *ctx, int result, const struct spawn_child *child,
    const struct spawn_failure *why)
{
	struct tally *t = ctx;

	assert_true(pthread_equal(pthread_self(), t->thread));
	if (result == 0) {
		int status;
		t->started++;
		close_child(child);
		assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
		assert_int_equal(status, 0);
	} else {
		t->failed++;
		t->last_errnum = why->errnum;
	}
	if (t->wanted > 0) {
		t->wanted--;
		assert_non_null(
		    spawner_start(t->spawner, &true_request, count, t));
	}
}

static void
begin(struct tally *t)
{
	*t = (struct tally){ .loop = ev_loop_new(EVFLAG_AUTO),
		.thread = pthread_self() };
	assert_non_null(t->loop);
	t->spawner = spawner_new(t->loop);
	assert_non_null(t->spawner);
}

static void
end(struct tally *t)
{
	spawner_free(t->spawner);
	ev_loop_destroy(t->loop);
}

static void
every_start_is_answered_once_and_then_the_loop_is_free(void **state)
{
	struct tally t;

	(void)state;
	begin(&t);
	for (int i = 0; i < 40; i++)
		assert_non_null(spawner_start(t.spawner,
		    i % 4 == 3 ? &missing_request : &true_request, count, &t));
	assert_int_equal(t.started + t.failed, 0); /* nothing before the loop */
	assert_false(ev_run(t.loop, 0));
	assert_int_equal(t.started, 30);
	assert_int_equal(t.failed, 10);
	assert_int_equal(t.last_errnum, ENOENT);
	end(&t);
}

static void
a_start_may_be_asked_for_from_within_an_answer(void **state)
{
	struct tally t;

	(void)state;
	begin(&t);
	t.wanted = 100;
	for (int i = 0; i < 5; i++)
		spawner_start(t.spawner, &true_request, count, &t);
	ev_run(t.loop, 0);
	assert_int_equal(t.started, 105);
	end(&t);
}

static void
an_idle_spawner_does_not_keep_the_loop_running(void **state)
{
	struct tally t;

	(void)state;
	begin(&t);
	assert_false(ev_run(t.loop, 0));
	end(&t);
	spawner_free(NULL);
}

static size_t
open_pipes(void)
{
	size_t n = 0;
	struct dirent *entry;
	DIR *d = opendir("/proc/self/fd");

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		char target[64] = "";
		ssize_t len = readlinkat(
		    dirfd(d), entry->d_name, target, sizeof target - 1);

		n += len > 0 && strncmp(target, "pipe:", 5) == 0;
	}
	closedir(d);
	return n;
}

static void
wait_for_pipes(size_t wanted)
{
	for (int i = 0; open_pipes() != wanted; i++) {
		assert_true(i < 60000);
		usleep(1000);
	}
}

/* One set waits for the next start, and never a second one. */
static void
an_idle_spawner_has_the_next_pipes_ready(void **state)
{
	struct tally t;
	size_t before = open_pipes(), all = open_descriptors();

	(void)state;
	begin(&t);
	for (int i = 0; i < 5; i++) {
		wait_for_pipes(before + 8);
		assert_non_null(
		    spawner_start(t.spawner, &true_request, count, &t));
		ev_run(t.loop, 0);
		assert_int_equal(t.started, i + 1);
	}
	wait_for_pipes(before + 8);
	end(&t);
	assert_int_equal(open_descriptors(), all);
}

static void
freeing_closes_and_reaps_what_was_not_delivered(void **state)
{
	struct tally t;
	size_t before = open_descriptors();

	(void)state;
	begin(&t);
	for (int i = 0; i < 20; i++)
		spawner_start(t.spawner, &waiting_request, count, &t);
	end(&t);
	assert_int_equal(t.started + t.failed, 0);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Whoever starts us may ignore SIGCHLD; count() insists on the statuses. */
static void
an_inherited_ignored_SIGCHLD_costs_no_status(void **state)
{
	struct tally t;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	begin(&t);
	for (int i = 0; i < 10; i++)
		spawner_start(t.spawner, &true_request, count, &t);
	ev_run(t.loop, 0);
	assert_int_equal(t.started, 10);
	end(&t);
	signal(SIGCHLD, SIG_DFL);
}

/*
 * A write lease makes everyone who opens the file wait, exec included, until
 * the lease is given up: a network file system that hangs, on demand.
 */
static int
hanging_program(char *path)
{
	const char *preload = getenv("LD_PRELOAD");

	/* Valgrind opens the file itself before exec, and gives up. */
	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		return -1;
	int to = mkstemp(path);
	int from = open("/bin/cat", O_RDONLY | O_CLOEXEC);

	assert_true(to >= 0 && from >= 0);
	assert_true(sendfile(to, from, NULL, 1 << 20) > 0);
	assert_int_equal(fchmod(to, 0700), 0);
	close(to);
	close(from);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	signal(SIGIO, SIG_IGN); /* "somebody waits" */
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
		return fd;
	close(fd);
	unlink(path);
	return -1;
}

static void
release(int fd, const char *path)
{
	fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	unlink(path);
	signal(SIGIO, SIG_DFL);
}

struct hung {
	struct tally *tally;
	int expected; /* quick ones, after which the lease is given up */
	int lease;
	const char *path;
	int answered;
};

static void
count_hung(void *ctx, int result, const struct spawn_child *child,
    const struct spawn_failure *why)
{
	struct hung *h = ctx;

	assert_int_equal(h->tally->started, h->expected);
	h->answered++;
	count(h->tally, result, child, why);
	h->tally->started--;
}

static void
count_quick(void *ctx, int result, const struct spawn_child *child,
    const struct spawn_failure *why)
{
	struct hung *h = ctx;

	assert_int_equal(h->answered, 0);
	count(h->tally, result, child, why);
	if (h->tally->started == h->expected)
		release(h->lease, h->path);
}

static void
programs_that_hang_in_exec_do_not_hold_up_the_others(void **state)
{
	enum { HUNG = SPAWNER_THREADS_MAX - 1, QUICK = 12 };
	char path[] = "/tmp/test_spawner.XXXXXX";
	struct tally t;
	struct hung h = { .tally = &t, .expected = QUICK, .path = path };
	struct spawn_request hanging = true_request;

	(void)state;
	h.lease = hanging_program(path);
	if (h.lease < 0)
		skip();
	hanging.path = path;
	begin(&t);
	for (int i = 0; i < HUNG; i++)
		spawner_start(t.spawner, &hanging, count_hung, &h);
	for (int i = 0; i < QUICK; i++)
		spawner_start(t.spawner, &true_request, count_quick, &h);
	ev_run(t.loop, 0);
	assert_int_equal(h.answered, HUNG);
	assert_int_equal(t.started, QUICK);
	end(&t);
}

static void
a_thread_that_hangs_in_exec_is_left_behind(void **state)
{
	char path[] = "/tmp/test_spawner.XXXXXX";
	struct tally t;
	static struct spawn_request hanging; /* outlives the thread */

	(void)state;
	int lease = hanging_program(path);
	if (lease < 0)
		skip();
	static char kept[sizeof path];
	memcpy(kept, path, sizeof path);
	hanging = true_request;
	hanging.path = kept;
	begin(&t);
	spawner_start(t.spawner, &hanging, count, &t);
	/* So that the thread has surely come to the other one, and hangs. */
	spawner_start(t.spawner, &true_request, count, &t);
	while (t.started == 0)
		ev_run(t.loop, EVRUN_ONCE);
	end(&t);
	/* Back from exec, the thread kills, reaps and frees what is its own. */
	release(lease, path);
	for (int status; waitpid(-1, &status, WNOHANG) >= 0;)
		usleep(1000);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(t.started, 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_start_is_answered_once_and_then_the_loop_is_free),
		cmocka_unit_test(
		    a_start_may_be_asked_for_from_within_an_answer),
		cmocka_unit_test(
		    an_idle_spawner_does_not_keep_the_loop_running),
		cmocka_unit_test(an_idle_spawner_has_the_next_pipes_ready),
		cmocka_unit_test(
		    freeing_closes_and_reaps_what_was_not_delivered),
		cmocka_unit_test(an_inherited_ignored_SIGCHLD_costs_no_status),
		cmocka_unit_test(
		    programs_that_hang_in_exec_do_not_hold_up_the_others),
		cmocka_unit_test(a_thread_that_hangs_in_exec_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
