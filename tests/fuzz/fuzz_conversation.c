/*
 * fuzz_conversation - a whole conversation: six clients, a server, the time.
 *
 * An input is a row of orders. The first byte sets limits; then each order is
 * a byte that says what, a byte that says who, and what it takes. Clients say
 * commands about a few queues and jobs, bytes as they are, in pieces, do not
 * read, leave; time passes; the disk refuses; the server is started again.
 * Whatever is said,
 *
 * - what comes back is replies, and no more than was asked for;
 * - no acknowledged job is lost, no refused or finished one is there, and none
 *   is in two hands at once (tests/fuzz/ledger.h);
 * - memory, disk and INFO tell the same;
 * - the server comes to rest, and keeps nothing of who has left.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/fuzz/speech.h"

enum { INPUT_MAX = 2048 };

/* ---- how it is said, and what else happens ------------------------------------------ */

static void
garble(struct input *in, struct voice *v)
{
	(void)v;
	in->garble = true;
	in->where = next(in);
	in->what = next(in);
}

static void
send_some(struct input *in, struct voice *v)
{
	ledger_all_may_move();
	v->patient = true;
	voice_send(v, (size_t)next(in) + 1);
}

static void
send_all(struct input *in, struct voice *v)
{
	(void)in;
	ledger_all_may_move();
	v->patient = false;
	voice_send(v, SIZE_MAX);
}

static void
turn_deaf(struct input *in, struct voice *v)
{
	v->deaf = next(in) & 1;
}

static void
reopen(struct input *in, struct voice *v)
{
	uint8_t kind = next(in);

	open_voice(v, kind & 1, kind & 2);
}

static void
leave(struct input *in, struct voice *v)
{
	(void)in;
	voice_close(v);
}

static void
half_close(struct input *in, struct voice *v)
{
	(void)in;
	ledger_all_may_move();
	voice_left_behind = voice_left_behind || !voices_are_calm();
	(void)shutdown(v->fd, SHUT_WR);
}

static void
pass_time(struct input *in, struct voice *v)
{
	static const int64_t ms[] = { 1, 100, 600, 2100, 5100, 10100, 16000,
		31000, 61000, 121000, 1860000, 3600000 };
	uint8_t kind = next(in);

	(void)v;
	ledger_all_may_move();
	clock_drive(ONE_OF(ms, kind) * CLOCK_NS_PER_MS,
	    kind >= 0xf8 ? (kind & 1 ? 600 : -600) * CLOCK_NS_PER_S : 0);
	stage_settle();
}

static void
restart(struct input *in, struct voice *v)
{
	(void)v;
	stage_restart(next(in) & 1);
}

/* It refuses what is to be written, or takes it again. */
static void
disk(struct input *in, struct voice *v)
{
	static const int says[] = { SQLITE_OK, SQLITE_FULL, SQLITE_IOERR_FSYNC,
		SQLITE_OK };

	(void)v;
	atomic_store(&stage_disk, ONE_OF(says, next(in)));
}

static void
ack(struct input *in, struct voice *v)
{
	about(in, v, "ACK", SAID_ACK);
}

static void
fail(struct input *in, struct voice *v)
{
	about(in, v, "FAIL", SAID_MOVING);
}

static void
give_back(struct input *in, struct voice *v)
{
	about(in, v, "RELEASE", SAID_MOVING);
}

static void
cancel(struct input *in, struct voice *v)
{
	about(in, v, "CANCEL", SAID_MOVING);
}

static void
ask_result(struct input *in, struct voice *v)
{
	about(in, v, "RESULT", SAID_HARMLESS);
}

/* Their places are those that the corpus knows: new ones go to the end. */
typedef void order(struct input *in, struct voice *v);
static order *const orders[] = { push, fetch, ack, fail, push_many, give_back,
	cancel, ask_result, push_again, mutate, queue, flush, worker, word, end,
	mutter, garble, send_some, send_all, turn_deaf, reopen, leave,
	half_close, pass_time, restart, disk, say_what_is_held };

static void
carry_out(struct input *in)
{
	uint8_t what = next(in);
	uint8_t who = next(in);
	struct voice *v = &voices[who % VOICES];
	order *o = ONE_OF(orders, what & 0x3f);

	if (v->ended)
		voice_close(v);
	if (v->fd < 0 && o != reopen && o != restart && o != pass_time &&
	    o != disk)
		open_voice(v, true, false);
	o(in, v);
	if (what & 0x80) /* together with what follows */
		return;
	if (what & 0x40)
		(void)stage_turn(EVRUN_NOWAIT);
	else
		stage_settle();
}

/* ---- the end of an input ------------------------------------------------------------ */

static size_t
number_in(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	must(at != NULL);
	return strtoul(at + strlen(key), NULL, 10);
}

static void
info_is_true(struct voice *v)
{
	const struct server *s = stage.server;
	char text[] = "INFO";

	voice_say(v, SAID_INFO, NO_JOB, text);
	stage_settle();
	must(buf_putc(v->info, '\0') == 0);
	const char *info = buf_front(v->info);
	must(number_in(info, "\"total_enqueued\":") == queues_jobs(s->queues));
	must(number_in(info, "\"working\":") == jobs_reserved(s->jobs));
	must(number_in(info, "\"dead\":") == jobs_in_set(s->jobs, SET_DEAD));
	must(number_in(info, "\"retries\":") ==
	    jobs_in_set(s->jobs, SET_RETRIES));
	must(number_in(info, "\"scheduled\":") ==
	    jobs_in_set(s->jobs, SET_SCHEDULED));
	must(number_in(info, "\"connections\":") == 1);
}

static void
finish(void)
{
	struct voice *last = &voices[VOICES - 1];

	atomic_store(&stage_disk, SQLITE_OK);
	stage_settle();
	for (size_t i = 0; i < VOICES; i++) {
		voices[i].deaf = false;
		voice_close(&voices[i]);
	}
	stage_settle();
	stage_is_deserted();
	stage_balance();

	open_voice(last, true, false);
	stage_settle();
	info_is_true(last);
	voice_say(last, SAID_FLUSH, NO_JOB, "FLUSH");
	stage_settle();
	must(last->flushed == 1);
	stage_is_empty();
	voice_close(last);
	stage_settle();
	stage_is_deserted();
}

static void
set_limits(uint8_t which)
{
	struct server_settings *set = stage.settings;

	set->limits.line = which & 1 ? 4096 : 64 << 20;
	set->limits.job = which & 2 ? 150 : 0;
	set->limits.jobs = which & 4 ? 5 : 0;
	set->limits.memory = which & 8 ? 4096 : 512 << 20;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .at = data, .end = data + size };

	if (size > INPUT_MAX)
		return 0;
	stage_begin();
	set_limits(next(&in));
	while (in.at < in.end)
		carry_out(&in);
	set_limits(0);
	finish();
	return 0;
}
