/*
 * report_known - jobs that come again, and of which it is known how they ended.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/report_inside.h"

static bool
is_of(const struct outcome *o, const struct job *j)
{
	return j->enqueued_at.len > 0 && j->jid.len == o->jid_len &&
	    memcmp(j->jid.bytes, o->jid, o->jid_len) == 0 &&
	    j->enqueued_at.len == strlen(o->enqueued_at) &&
	    memcmp(j->enqueued_at.bytes, o->enqueued_at, j->enqueued_at.len) ==
	    0 &&
	    notice_verb(o->lines, o->len) != NOTICE_BURIAL;
}

/* Jobs that go before its ACK are not pushed once more. */
static bool
settles(const struct outcome *o)
{
	enum notice_verb verb = notice_verb(o->lines, o->len);

	return verb != NOTICE_PUSH && verb != NOTICE_PUSHB;
}

static struct outcome *
find(const struct outcomes *in, const struct job *again)
{
	struct outcome *o;

	for (o = TAILQ_FIRST(in); o != NULL; o = TAILQ_NEXT(o, link))
		if (is_of(o, again))
			break;
	return o;
}

static void
take_out(struct outcome *o)
{
	struct report *r = o->report;

	TAILQ_REMOVE(&r->confirmed, o, link);
	r->nconfirmed--;
	r->confirmed_bytes -= o->len;
}

/* What its server has confirmed is told again, from the beginning. */
static void
revive(struct outcome *o)
{
	struct report *r = o->report;

	take_out(o);
	report_insert(o);
	report_keep(o);
	report_hurry(r);
}

static void
say_known(const struct outcome *o, const char *what, bool again)
{
	char text[160];

	snprintf(text, sizeof text, "%s: %sthe job is not run", what,
	    again ? "it is told for that too, and " : "");
	report_say(LOG_LEVEL_INFO, o, text, NULL);
}

bool
report_knows(struct report *r, const struct job *again, int64_t expires)
{
	struct outcome *o = find(&r->outcomes, again);
	bool confirmed = o == NULL;

	if (confirmed)
		o = find(&r->confirmed, again);
	if (o == NULL)
		return false;
	if (o->expires < expires)
		o->expires = expires;
	o->again = o->sent && settles(o);
	if (!confirmed) {
		say_known(
		    o, "is not confirmed, and its job has come again", true);
	} else {
		say_known(
		    o, "was confirmed while its job came again", !o->ended);
		if (!o->ended)
			revive(o);
	}
	return true;
}

/*
 * A question that was asked before, and is not answered yet, may still bring
 * the job: the server has answered it first, and its answer is read last.
 */
static bool
may_come_again(const struct outcome *o)
{
	enum notice_verb verb = notice_verb(o->lines, o->len);

	return (verb == NOTICE_ACK || verb == NOTICE_FAIL) &&
	    o->enqueued_at[0] != '\0' && o->asked_at < o->report->up_at;
}

void
report_confirmed(struct outcome *o)
{
	struct report *r = o->report;

	if (!may_come_again(o)) {
		report_drop(o);
		return;
	}
	report_remove(o);
	o->sent = false;
	o->told = true;
	o->told_at = clock_mono();
	TAILQ_INSERT_TAIL(&r->confirmed, o, link);
	r->nconfirmed++;
	r->confirmed_bytes += o->len;
	while (
	    r->nconfirmed > REPORT_MANY || r->confirmed_bytes > REPORT_BYTES) {
		o = TAILQ_FIRST(&r->confirmed);
		take_out(o);
		report_free_outcome(o);
	}
}

void
report_forget(struct report *r, int64_t before)
{
	struct outcome *o;

	while (
	    (o = TAILQ_FIRST(&r->confirmed)) != NULL && o->told_at < before) {
		take_out(o);
		report_free_outcome(o);
	}
}
