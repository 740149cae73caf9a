/*
 * account - the jobs that a made-up server has handed out, and what it heard.
 *
 * It goes by what was said over the wire. What the supervisor has certainly
 * read is sure; what was said into a conversation that was lost is not, and
 * then nothing is owed, and more may be heard of it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_ACCOUNT_H
#define TESTS_FUZZ_ACCOUNT_H

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/job.h"
#include "tests/fuzz/must.h"

enum { ACCOUNT_JOBS = 256, ACCOUNT_JID = 96 };

struct account_job {
	char jid[ACCOUNT_JID]; /* any bytes */
	size_t len;
	int server;
	unsigned handed;     /* how often; what is unsure counts */
	unsigned started;    /* programs that really began */
	unsigned running;    /* of them */
	unsigned taken_in;   /* the conversation it was said in */
	bool taken;          /* sure, as the next */
	bool settled;        /* its end was confirmed */
	unsigned settled_in; /* where that was said; 0: nowhere */
	unsigned told_in;    /* where a line of it waits for an answer; 0: no */
	bool heard;          /* any line of it */
	bool lost;           /* its program was killed as somebody else's */
	bool excused;        /* the server's own answers let it go untold */
	/* Between these its reservation is over, as the supervisor counts. */
	int64_t expires_first, expires_last;
};

static struct {
	struct account_job job[ACCOUNT_JOBS];
	size_t count;
	bool strange; /* more was handed out than can be kept account of */
	bool quiet;   /* sure: no more jobs may be asked for */
	size_t told;  /* lines about jobs that were found right */
} account;

static void
account_clear(void)
{
	size_t told = account.told;

	memset(&account, 0, sizeof account);
	account.told = told;
}

static struct account_job *
account_find(const char *jid, size_t len, int server)
{
	for (size_t i = 0; i < account.count; i++) {
		struct account_job *j = &account.job[i];

		if (j->len == len && j->server == server &&
		    memcmp(j->jid, jid, len) == 0)
			return j;
	}
	return NULL;
}

static struct account_job *
account_enter(const char *jid, size_t len, int server)
{
	struct account_job *j = account_find(jid, len, server);

	if (j != NULL)
		return j;
	if (len > ACCOUNT_JID || account.count == ACCOUNT_JOBS) {
		account.strange = true;
		return NULL;
	}
	j = &account.job[account.count++];
	memcpy(j->jid, jid, len);
	j->len = len;
	j->server = server;
	return j;
}

/*
 * A job stands in what is said. asked_at: in an answer to a question of that
 * time; 0: it may turn out to be one. known: it was told of as such before.
 */
static void
account_handed(const char *text, size_t len, int server, unsigned in,
    int64_t asked_at, bool known)
{
	struct account_job *j;
	struct job job;
	struct err e;

	if (job_parse(text, len, &job, &e) < 0)
		return; /* nobody can take it up */
	int64_t reserved = job_reservation(&job) * CLOCK_NS_PER_S;

	j = job.jid.len > 0 ? account_enter(job.jid.bytes, job.jid.len, server)
			    : NULL;
	if (j != NULL) {
		j->handed += !known;
		j->taken_in = asked_at != 0 ? in : 0;
		j->expires_first = asked_at + reserved;
		j->expires_last = clock_mono() + reserved;
	}
	job_clear(&job);
}

/* One of its kind, of which no two can be mixed up. */
static bool
account_is_plain(const struct account_job *j)
{
	return j->handed == 1;
}

/* ---- programs -------------------------------------------------------------------- */

/* One is to start; ends: when it will be dead at the latest. */
static void
account_begins(const char *jid, size_t len, int server, int64_t ends)
{
	const struct account_job *j = account_find(jid, len, server);

	must(j != NULL || account.strange); /* somebody has handed it out */
	if (j == NULL)
		return;
	must(j->started < j->handed); /* once for each reservation */
	must(!account_is_plain(j) || !j->heard);
	must(!account_is_plain(j) || ends <= j->expires_last);
}

static void
account_began(const char *jid, size_t len, int server)
{
	struct account_job *j = account_find(jid, len, server);

	if (j == NULL)
		return;
	j->started++;
	j->running++;
}

static void
account_ended(const char *jid, size_t len, int server, bool lost)
{
	struct account_job *j = account_find(jid, len, server);

	if (j == NULL)
		return;
	j->running--;
	j->lost = j->lost || lost;
}

/* ---- outcomes -------------------------------------------------------------------- */

/*
 * A line about its end is heard. late: it may have waited on its way; last:
 * it moves a job that has failed already.
 */
static struct account_job *
account_told(
    const char *jid, size_t len, int server, unsigned in, bool late, bool last)
{
	struct account_job *j = account_find(jid, len, server);

	must(j != NULL || account.strange); /* it was handed out by this one */
	if (j == NULL)
		return NULL;
	must(j->handed > 0);
	if (account_is_plain(j)) {
		must(j->running == 0);
		must(j->told_in != in); /* it waits for the answer to that */
		must(last || (!j->settled && j->settled_in != in));
		must(!j->lost);
		must(late || last || clock_mono() <= j->expires_last);
	}
	j->told_in = in;
	j->settled_in = 0;
	j->heard = true;
	account.told++;
	return j;
}

/* What must still be heard of. That its end is confirmed may have been read,
 * though the conversation is over. */
static bool
account_owes(const struct account_job *j)
{
	return account_is_plain(j) && j->taken && !j->settled &&
	    j->settled_in == 0 && !j->lost && !j->excused &&
	    clock_mono() < j->expires_first - 2 * CLOCK_NS_PER_S;
}

static bool
account_is_balanced(void)
{
	for (size_t i = 0; i < account.count; i++)
		if (account_owes(&account.job[i]))
			return false;
	return true;
}

/* For who looks why it is not. */
static void
account_show(void)
{
	for (size_t i = 0; i < account.count; i++) {
		const struct account_job *j = &account.job[i];

		if (account_owes(j))
			fprintf(stderr, "%.*s: started %u, running %u, %s\n",
			    (int)j->len, j->jid, j->started, j->running,
			    j->heard ? "told" : "not told");
	}
}

#endif
