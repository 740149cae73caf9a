/*
 * Changes are committed together, and each is answered once, on the loop, in
 * the order in which they were added: after the commit, so that nothing that
 * was told stored is lost by any end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/storebench.h"

static void
changes_are_told_once_and_in_order(void **state)
{
	struct bench *b = *state;
	struct store_change c[5];

	for (int i = 0; i < 5; i++) {
		c[i] = new_job(b, 10 - i, i);
		store_add(b->store, &c[i]);
	}
	assert_int_equal(store_pending(b->store), 5);
	assert_string_equal(b->heard, "");
	turn_until_told(b);
	assert_string_equal(b->heard, "10:0 9:0 8:0 7:0 6:0 ");
	assert_int_equal(store_pending(b->store), 0);
}

static void
nothing_is_sent_before_the_flush(void **state)
{
	struct bench *b = *state;
	struct store_change c = new_job(b, 1, 1);

	store_add(b->store, &c);
	ev_run(b->loop, EVRUN_NOWAIT);
	assert_string_equal(b->heard, "");
	assert_int_equal(store_pending(b->store), 1);
	store_flush(b->store);
	turn_until_told(b);
	assert_int_equal(store_pending(b->store), 0);
}

static void
more_than_one_commit_holds_is_told_in_order(void **state)
{
	struct bench *b = *state;
	enum { N = 3500 };
	struct store_change *c = calloc(N, sizeof *c);
	struct store_status st;

	assert_non_null(c);
	for (int i = 0; i < N; i++) {
		c[i] = new_job(b, i + 1, i + 1);
		c[i].done = NULL;
	}
	put(b, c, N);
	store_status(b->store, &st);
	assert_int_equal(st.commits, 4);
	assert_int_equal(st.changes, N);
	reopen(b);
	assert_int_equal(b->nids, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(b->ids[i], i + 1);
	free(c);
}

struct echo {
	struct store_change change;
	struct bench *bench;
	int left;
};

/* Adds itself again while it is being told. */
static void
echo(struct store_change *c, int result, const struct err *why)
{
	struct echo *e = c->ctx;

	(void)why;
	assert_int_equal(result, 0);
	if (e->left-- > 0) {
		c->value++;
		store_add(e->bench->store, c);
		store_flush(e->bench->store);
	}
}

static void
a_done_call_may_add_and_close_writes_that_too(void **state)
{
	struct bench *b = *state;
	struct echo e = { .bench = b, .left = 5 };

	e.change = (struct store_change){
		.kind = STORE_COUNT,
		.name = "n",
		.done = echo,
		.ctx = &e,
	};
	store_add(b->store, &e.change);
	reopen(b);
	assert_string_equal(b->seen, "counter n 5\n");
	assert_int_equal(e.left, -1);
}

static void
a_reader_sees_what_was_told_while_we_run(void **state)
{
	struct bench *b = *state;

	for (int i = 1; i <= 20; i++) {
		put_one(b, new_job(b, i, i));
		assert_int_equal(
		    storedir_ask(&b->dir,
			"SELECT waiting FROM v_queues WHERE queue = 'default'"),
		    i);
	}
}

static void
the_status_tells_commits_and_bytes(void **state)
{
	struct bench *b = *state;
	struct store_status st;

	store_status(b->store, &st);
	assert_int_equal(st.commits, 0);
	assert_int_equal(st.last_commit, 0);
	assert_false(st.failing);
	put_one(b, new_job(b, 1, 1));
	put_one(b, new_job(b, 2, 2));
	store_status(b->store, &st);
	assert_int_equal(st.commits, 2);
	assert_int_equal(st.changes, 2);
	assert_true(st.last_commit > 0);
	assert_true(st.bytes > 4096);
}

/* Another program's write lock: a failure that a test can make without root. */
static void
a_batch_that_fails_is_told_to_each_and_the_next_works(void **state)
{
	struct bench *b = *state;
	struct store_change c[] = { new_job(b, 1, 1), new_job(b, 2, 2) };
	struct store_status st;
	sqlite3 *other;

	assert_int_equal(
	    sqlite3_open_v2(b->dir.file, &other, SQLITE_OPEN_READWRITE, NULL),
	    0);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);
	put(b, c, 2);
	assert_string_equal(b->heard, "1:-16 2:-16 ");
	assert_string_equal(
	    b->last_why, "not written to disk: database is locked");
	store_status(b->store, &st);
	assert_true(st.failing);
	assert_int_equal(st.commits, 0);

	sqlite3_close(other);
	put(b, c, 2);
	assert_string_equal(b->heard, "1:-16 2:-16 1:0 2:0 ");
	store_status(b->store, &st);
	assert_false(st.failing);
}

/* ---- kill -9 --------------------------------------------------------------- */

enum { GROUP = 7 }; /* jobs a batch; the batch after removes the even ones */

struct teller {
	int fd;
	struct store_change changes[2 * GROUP];
};

/* In the child: +id for "is there", -id for "is gone", once it was told. */
static void
tell_parent(struct store_change *c, int result, const struct err *why)
{
	struct teller *t = c->ctx;
	int64_t word = c->kind == STORE_ADD ? c->job.id : -c->job.id;

	(void)why;
	if (result != 0 || write(t->fd, &word, sizeof word) != sizeof word)
		_exit(1);
}

static void
write_until_killed(struct bench *b, int fd, int64_t id)
{
	struct teller t = { .fd = fd };

	for (;; id += GROUP) {
		for (int i = 0; i < GROUP; i++) {
			t.changes[i] = new_job(b, id + i, id + i);
			t.changes[i].done = tell_parent;
			t.changes[i].ctx = &t;
			store_add(b->store, &t.changes[i]);
		}
		turn_until_told(b);
		for (int i = 0; i < GROUP; i++) {
			if ((id + i) % 2 != 0)
				continue;
			t.changes[GROUP + i] = on_job(b, STORE_REMOVE, id + i);
			t.changes[GROUP + i].done = tell_parent;
			t.changes[GROUP + i].ctx = &t;
			store_add(b->store, &t.changes[GROUP + i]);
		}
		turn_until_told(b);
	}
}

/* Reads what the child told until it has told enough, then until it is dead. */
static int64_t
kill_after(pid_t pid, int fd, size_t enough, bool *odd, bool *gone)
{
	int64_t word, last = 0;
	size_t told = 0;

	while (read(fd, &word, sizeof word) == sizeof word) {
		int64_t id = word > 0 ? word : -word;

		if (id >= SEEN_MAX)
			fail_msg("the child told too much");
		if (word < 0)
			gone[id] = true;
		else if (id % 2 != 0)
			odd[id] = true;
		last = id > last ? id : last;
		if (++told == enough)
			kill(pid, SIGKILL);
	}
	return last;
}

static void
nothing_told_is_lost_by_kill_9(void **state)
{
	struct bench *b = *state;
	static bool odd[SEEN_MAX], gone[SEEN_MAX];
	int64_t next = 1;

	memset(odd, 0, sizeof odd);
	memset(gone, 0, sizeof gone);
	close_store(b);
	for (size_t round = 0; round < 8; round++) {
		static bool there[SEEN_MAX];
		int told[2], status;

		assert_int_equal(pipe(told), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(told[0]);
			b->loop = ev_loop_new(EVFLAG_AUTO);
			open_store(b);
			write_until_killed(b, told[1], next);
		}
		close(told[1]);
		int64_t last =
		    kill_after(pid, told[0], 50 + 13 * round, odd, gone);
		close(told[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));

		open_store(b);
		memset(there, 0, sizeof there);
		for (size_t i = 0; i < b->nids; i++)
			there[b->ids[i]] = true;
		for (int64_t id = 1; id < SEEN_MAX; id++) {
			if (odd[id] && !there[id])
				fail_msg("job %" PRId64 " is lost", id);
			if (gone[id] && there[id])
				fail_msg("job %" PRId64 " is back", id);
		}
		/* One batch may have been on its way. */
		next = last + 2 * GROUP;
		close_store(b);
	}
}

int
main(void)
{
#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ON_BENCH(changes_are_told_once_and_in_order),
		ON_BENCH(nothing_is_sent_before_the_flush),
		ON_BENCH(more_than_one_commit_holds_is_told_in_order),
		ON_BENCH(a_done_call_may_add_and_close_writes_that_too),
		ON_BENCH(a_reader_sees_what_was_told_while_we_run),
		ON_BENCH(the_status_tells_commits_and_bytes),
		ON_BENCH(a_batch_that_fails_is_told_to_each_and_the_next_works),
		ON_BENCH(nothing_told_is_lost_by_kill_9),
	};

	return cmocka_run_group_tests_name("commits", tests, NULL, NULL);
}
