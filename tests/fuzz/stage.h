/*
 * stage - the real server in this process, on a store below $TMPDIR.
 *
 * Its connections are socket pairs. It is kept from one input to the next,
 * emptied by FLUSH, and made anew now and then.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_STAGE_H
#define TESTS_FUZZ_STAGE_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "server/store/rows.h"
#include "tests/fuzz/broken.h"
#include "tests/fuzz/driven_clock.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/voice.h"

enum {
	STAGE_USES = 500,
	STAGE_ROUNDS = 20000,
	STAGE_TICK = 10000 /* ns */,
	STATES = JOB_DEAD + 1
};

static struct {
	char dir[PLACE_MAX];
	struct ev_loop *loop;
	struct server_settings *settings;
	struct server *server;
	sqlite3 *db; /* beside the server, and only to look */
	sqlite3_stmt *rows;
	unsigned uses; /* inputs since the data was made */
} stage;

/* ---- the disk ------------------------------------------------------------------ */

/* What SQLite is told of every commit; SQLITE_OK: it is made. */
static atomic_int stage_disk;
static atomic_uint stage_commits; /* tried */

WRAPPED(int, rows_commit, struct rows *r)
{
	int says = atomic_load(&stage_disk);

	atomic_fetch_add(&stage_commits, 1);
	return says != SQLITE_OK ? says : __real_rows_commit(r);
}

/* ---- a server ---------------------------------------------------------------- */

static void
stage_look_at_disk(void)
{
	char file[300];

	snprintf(file, sizeof file, "%s/faktotum.db", stage.dir);
	must(sqlite3_open_v2(file, &stage.db, SQLITE_OPEN_READONLY, NULL) ==
	    SQLITE_OK);
	must(sqlite3_prepare_v2(stage.db, "SELECT state, jid FROM jobs", -1,
		 &stage.rows, NULL) == SQLITE_OK);
}

static void
stage_start(void)
{
	struct err e = { 0 };

	stage.server = server_start(stage.loop, stage.settings, &e);
	if (stage.server == NULL)
		fprintf(stderr, "%s\n", e.text);
	must(stage.server != NULL);
	stage_look_at_disk();
}

static void
stage_end(void)
{
	sqlite3_finalize(stage.rows);
	must(sqlite3_close(stage.db) == SQLITE_OK);
	server_free(stage.server);
	stage.server = NULL;
}

static void
stage_clear(void)
{
	if (stage.server == NULL)
		return;
	stage_end();
	server_settings_free(stage.settings);
	must_not_leak();
	place_clear(stage.dir);
}

static void
stage_make(void)
{
	char text[600];

	place_make(stage.dir, "conversation");
	snprintf(text, sizeof text,
	    "data: \"%s\"\nlisten: 127.0.0.1:0\npush_window: 5s\n"
	    "worker_grace: 10s\nweb: {listen: off}\n",
	    stage.dir);
	stage.settings = server_settings_read("conversation.yaml", text,
	    strlen(text), place_no_variable, place_mistake, NULL);
	must(stage.settings != NULL);
	stage.uses = 0;
	stage_start();
}

/* Once a process, then for every input. */
static void
stage_begin(void)
{
	if (stage.loop == NULL) {
		place_be_quiet();
		clock_drive(0, 0);
		stage.loop = ev_loop_new(EVFLAG_AUTO);
		must(stage.loop != NULL);
		for (size_t i = 0; i < VOICES; i++)
			voice_init(&voices[i]);
		must(atexit(stage_clear) == 0);
	}
	if (stage.uses++ >= STAGE_USES)
		stage_clear();
	if (stage.server == NULL)
		stage_make();
	ledger_clear();
	voice_left_behind = false;
}

/* ---- its turns ----------------------------------------------------------------- */

/* One turn, and everybody hears what there is. Whether anything happened. */
static bool
stage_turn(int how)
{
	const struct server *s = stage.server;
	uint64_t before = s->commands;
	unsigned commits = atomic_load(&stage_commits);
	size_t open = s->nconns;
	bool heard;

	for (size_t i = 0; i < VOICES; i++)
		if (!voices[i].patient && buf_len(voices[i].unsent) > 0)
			voice_send(&voices[i], SIZE_MAX);
	/* libev fires what is past, not what is due at this very moment. */
	clock_drive(STAGE_TICK, 0);
	ev_run(stage.loop, how);
	heard = voices_listen();
	for (size_t i = 0; heard && i < VOICES; i++)
		voice_understand(&voices[i]);
	return heard || s->commands != before || s->nconns != open ||
	    atomic_load(&stage_commits) != commits || s->dirty != NULL ||
	    store_pending(s->store) > 0;
}

/* Until nothing happens any more unless somebody speaks or time passes. */
static void
stage_settle(void)
{
	int quiet = 0, rounds = 0;

	while (quiet < 2) {
		bool waits = store_pending(stage.server->store) > 0 &&
		    stage.server->dirty == NULL;

		quiet = stage_turn(waits ? EVRUN_ONCE : EVRUN_NOWAIT)
		    ? 0
		    : quiet + 1;
		must(++rounds < STAGE_ROUNDS);
	}
	voice_left_behind = false;
}

/* Clean, or as after a failure of the program. All connections end. */
static void
stage_restart(bool clean)
{
	atomic_store(&stage_disk, SQLITE_OK);
	if (clean) {
		server_stop(stage.server);
		for (int i = 0; i < 3; i++)
			stage_turn(EVRUN_NOWAIT);
	}
	for (size_t i = 0; i < VOICES; i++)
		voice_close(&voices[i]);
	stage_end();
	ledger_all_may_move();
	stage_start();
	voice_left_behind = false;
}

/* ---- what must be true when all is quiet ----------------------------------------- */

/* Memory and disk have the same jobs, and these are those that are owed. */
static void
stage_balance(void)
{
	const struct server *s = stage.server;
	size_t rows[STATES] = { 0 };
	int rc;

	while ((rc = sqlite3_step(stage.rows)) == SQLITE_ROW) {
		int state = sqlite3_column_int(stage.rows, 0);

		must(state >= JOB_QUEUED && state < STATES);
		rows[state]++;
		ledger_seen((const char *)sqlite3_column_text(stage.rows, 1),
		    (size_t)sqlite3_column_bytes(stage.rows, 1));
	}
	must(rc == SQLITE_DONE);
	sqlite3_reset(stage.rows);
	must(rows[JOB_QUEUED] == queues_jobs(s->queues));
	must(rows[JOB_RESERVED] == jobs_reserved(s->jobs));
	must(rows[JOB_SCHEDULED] == jobs_in_set(s->jobs, SET_SCHEDULED));
	must(rows[JOB_RETRY] == jobs_in_set(s->jobs, SET_RETRIES));
	must(rows[JOB_DEAD] == jobs_in_set(s->jobs, SET_DEAD));
	ledger_balance();
}

/* Nobody is connected, and nothing is kept of those who were. */
static void
stage_is_deserted(void)
{
	const struct server *s = stage.server;
	size_t cursor = 0;
	struct queue *q;

	must(s->conns == NULL && s->nconns == 0 && s->dirty == NULL);
	must(s->buffered == 0);
	must(workers_count(s->workers) == 0);
	while ((q = queues_next(s->queues, &cursor)) != NULL)
		must(q->first_wait == NULL && q->coming == 0);
}

/* After a FLUSH nothing is left of any job. */
static void
stage_is_empty(void)
{
	const struct server *s = stage.server;

	must(queues_jobs(s->queues) == 0 && queues_known(s->queues) == 0);
	must(jobs_reserved(s->jobs) == 0);
	for (int i = 0; i < JOBS_SETS; i++)
		must(jobs_in_set(s->jobs, (enum jobs_set)i) == 0);
	must(news_count(jobs_news(s->jobs)) == 0);
	must(results_count(jobs_results(s->jobs)) == 0);
	must(sqlite3_step(stage.rows) == SQLITE_DONE);
	sqlite3_reset(stage.rows);
}

#endif
