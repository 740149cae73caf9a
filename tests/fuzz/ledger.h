/*
 * ledger - which jobs a conversation has pushed, and where each may be now.
 *
 * It goes by what was said and answered, and is careful: a job of which
 * anything was said that could have ended it is owed to nobody. What nobody
 * has spoken of since +OK must be there; what was refused must not.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_LEDGER_H
#define TESTS_FUZZ_LEDGER_H

#include <stdbool.h>
#include <string.h>

#include "tests/fuzz/must.h"

enum { LEDGER_JOBS = 128, LEDGER_JID = 16 };

struct ledger_job {
	bool ok;      /* +OK was read */
	bool refused; /* -ERR was read */
	bool settled; /* its worker's ACK was taken */
	bool may_go;  /* something was said that may end it */
	bool again;   /* it was pushed more than once */
	bool held;    /* delivered, and nothing has happened since */
	int here;     /* rows found at the end */
};

static struct {
	struct ledger_job job[LEDGER_JOBS];
	size_t count;
	/* Somebody said what was made up byte by byte: any job may be there. */
	bool strange;
	size_t delivered; /* how often that was proved to be right */
} ledger;

static void
ledger_clear(void)
{
	memset(&ledger, 0, sizeof ledger);
}

/* Its jid; the number that ledger_number() reads back. */
static const char *
ledger_jid(size_t job, char out[LEDGER_JID])
{
	snprintf(out, LEDGER_JID, "fuzzed-%04zu", job);
	return out;
}

static struct ledger_job *
ledger_find(const char *jid, size_t len)
{
	char digits[5] = "";
	size_t n;

	if (len != 11 || memcmp(jid, "fuzzed-", 7) != 0)
		return NULL;
	memcpy(digits, jid + 7, 4);
	n = strtoul(digits, NULL, 10);
	return n < ledger.count ? &ledger.job[n] : NULL;
}

/* Every job may end, or come into other hands, by what happens now. */
static void
ledger_all_may_go(void)
{
	for (size_t i = 0; i < ledger.count; i++) {
		ledger.job[i].may_go = true;
		ledger.job[i].held = false;
	}
}

/* Whoever holds a job may lose it by what happens now. */
static void
ledger_all_may_move(void)
{
	for (size_t i = 0; i < ledger.count; i++)
		ledger.job[i].held = false;
}

/* calm: nothing that was said is still to happen. */
static void
ledger_delivered(const char *jid, size_t len, bool calm)
{
	struct ledger_job *j = ledger_find(jid, len);

	if (j == NULL || ledger.strange || j->again)
		return;
	if (j->held || j->refused)
		fprintf(stderr, "%.*s was delivered\n", (int)len, jid);
	must(!j->held);    /* nobody else has it */
	must(!j->refused); /* its client was told that it is not here */
	j->held = calm;
	ledger.delivered++;
}

/* A row on the disk. */
static void
ledger_seen(const char *jid, size_t len)
{
	struct ledger_job *j = ledger_find(jid, len);

	if (j != NULL)
		j->here++;
	else
		must(ledger.strange);
}

/* After every ledger_seen(). */
static void
ledger_balance(void)
{
	for (size_t i = 0; i < ledger.count; i++) {
		const struct ledger_job *j = &ledger.job[i];
		bool sure = !ledger.strange && !j->again;
		bool lost = j->ok && !j->may_go && j->here == 0;
		bool undead = sure && (j->refused || j->settled) && j->here > 0;
		bool twice = sure && j->here > 1;

		if (lost || undead || twice)
			fprintf(stderr, "fuzzed-%04zu: %d rows\n", i, j->here);
		must(!lost);
		must(!undead);
		must(!twice);
	}
}

#endif
