/*
 * fuzz_client_conversation - the supervisor, and servers that say anything.
 *
 * The whole supervisor runs in this process: its conversations, their loss
 * and return, what is fetched, started, told and told again, quiet and the
 * end. Beyond it nothing is real: reaching a server (supervisor/dialer) and
 * running a program (handlers/run) are replaced at the link, which is where
 * the supervisor meets the world, so it needed no seam for this.
 *
 * An input is a row of orders. The first byte says how it begins; then each
 * order is a byte that says what, a byte that says whom, and what it takes.
 * Servers answer right, wrong, in pieces, unasked, late or never, close and
 * refuse; time passes; programs speak and end; signals come. Whatever is said,
 *
 * - the worker says nothing before HI, then HELLO, then what our own parsers
 *   take (tests/fuzz/peer.h), and leaves a server that is none;
 * - it asks one question at a time in a conversation, for no more jobs than it
 *   has places, and none once it is quiet or ends;
 * - each job that was handed out runs at most once, within its reservation,
 *   and its end is told once in a conversation until it is confirmed or its
 *   time is over; nothing is told of any other (tests/fuzz/account.h);
 * - it comes to rest as long as no time passes, ends when it is told to, and
 *   keeps no memory, descriptor or file.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/fuzz/host.h"

enum {
	INPUT_MAX = 2048,
	PATIENT = 60, /* steps in which a good server must have heard all */
	END = 120     /* s, in which a worker that was told to must end */
};

/* ---- what the servers say ----------------------------------------------------------- */

/* One of the conversations that there are; NULL: there is none. */
static struct peer *
pick(uint8_t who)
{
	size_t open = 0, n = 0;

	for (size_t i = 0; i < PEERS; i++)
		open += peers[i].fd >= 0;
	for (size_t i = 0; open > 0 && i < PEERS; i++)
		if (peers[i].fd >= 0 && n++ == who % open)
			return &peers[i];
	return NULL;
}

static void
answer(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);
	uint8_t choice = next(in);

	if (p == NULL)
		return;
	host.in = in;
	host_answers(p, choice);
	host.in = NULL;
}

static void
habit(struct input *in, uint8_t who)
{
	uint8_t kind = next(in);

	host.habit[who & 1][(who >> 1) % ASKED_KINDS] = kind;
}

static void
serve(struct input *in, uint8_t who)
{
	habits_are(who & 1, next(in) & 1 ? 0 : HOST_GOOD);
	worker.reach[who & 1] = REACH_GOOD;
}

static void
stock(struct input *in, uint8_t who)
{
	host.stock = who % 8;
	host.flavour = next(in);
}

/* Bytes of the input as they are. */
static void
mutter(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);
	size_t len = next(in) & 0x3f, left = (size_t)(in->end - in->at);

	if (len > left)
		len = left;
	if (p != NULL)
		must(buf_append(p->unsent, (const char *)in->at, len) == 0);
	in->at += len;
}

static void
garble(struct input *in, uint8_t who)
{
	in->garble = true;
	in->where = who;
	in->what = next(in);
}

static void
send_some(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);
	size_t most = (size_t)next(in) + 1;

	if (p == NULL)
		return;
	p->patient = true;
	peer_send(p, most);
}

static void
send_all(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);

	(void)in;
	if (p != NULL)
		p->patient = false;
}

static void
turn_deaf(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);
	bool deaf = next(in) & 1;

	if (p == NULL)
		return;
	p->deaf = deaf;
	p->late = true; /* until all is quiet and it hears */
}

static void
leave(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);

	(void)in;
	if (p != NULL)
		peer_close(p);
}

static void
half_close(struct input *in, uint8_t who)
{
	struct peer *p = pick(who);

	(void)in;
	if (p != NULL)
		(void)shutdown(p->fd, SHUT_WR);
}

static void
reach(struct input *in, uint8_t who)
{
	worker.reach[who & 1] = next(in) % REACH_KINDS;
}

/* ---- what else happens ---------------------------------------------------------------- */

static void
pass_time(struct input *in, uint8_t who)
{
	static const int64_t ms[] = { 1, 100, 600, 2100, 5100, 10100, 16000,
		31000, 61000, 121000, 1860000, 3600000 };

	(void)in;
	worker_pass(ONE_OF(ms, who) * CLOCK_NS_PER_MS,
	    who >= 0xf8 ? (who & 1 ? 600 : -600) * CLOCK_NS_PER_S : 0);
}

static void
program_ends(struct input *in, uint8_t who)
{
	static const struct {
		int status;
		const char *says;
	} ends[] = { { 0, "" }, { 1 << 8, "no such thing" }, { 65 << 8, "" },
		{ 75 << 8, "later" }, { 127 << 8, "not found" },
		{ SIGKILL, "" }, { SIGSEGV, "\xff\x01" }, { 126 << 8, "" } };
	struct program *p = program_pick(who);
	size_t how = next(in) % (sizeof ends / sizeof ends[0]);

	if (p != NULL)
		program_end(p, ends[how].status, ends[how].says);
}

static void
program_speaks(struct input *in, uint8_t who)
{
	static const char *const words[] = {
		"{\"type\":\"result\",\"value\":{\"a\":[1,\"\\u2028\"]}}",
		"{\"type\":\"push\",\"job\":{\"jobtype\":\"t\",\"args\":[]}}",
		"{\"type\":\"error\",\"retry\":false,\"message\":\"m\"}",
		"{\"type\":\"error\",\"retry_in\":30,\"errtype\":\"E\"}",
		"{\"type\":\"error\",\"retry\":\"discard\"}",
		"{\"type\":\"extend\",\"seconds\":20}",
		"{\"type\":\"progress\",\"percent\":5}", "nonsense"
	};
	struct program *p = program_pick(who);
	const char *word = ONE_OF(words, next(in));

	if (p != NULL && who & 0x80)
		p->hooks->line(p->ctx, RUN_STDOUT, word, strlen(word), false);
	else if (p != NULL)
		p->hooks->message(p->ctx, word, strlen(word), false);
}

static void
programs_are(struct input *in, uint8_t who)
{
	static const int fails[] = { 0, ENOENT, ENOMEM, EACCES };

	(void)in;
	programs.fail = ONE_OF(fails, who);
	programs.stubborn = who & 4;
}

static void
signals(struct input *in, uint8_t who)
{
	static const int numbers[] = { SIGTSTP, SIGHUP, SIGTERM, SIGINT };

	(void)in;
	ev_feed_signal_event(worker.is->loop, ONE_OF(numbers, who));
}

/* What the operator says over the control socket. */
static void
operate(struct input *in, uint8_t who)
{
	struct program *p = program_pick(who >> 2);

	(void)in;
	if ((who & 3) == 0)
		(void)lifecycle_unquiet(worker.is->lifecycle);
	else if ((who & 3) == 1)
		lifecycle_quiet(worker.is->lifecycle, QUIET_BY_OPERATOR);
	else if ((who & 3) == 2)
		lifecycle_quiet(worker.is->lifecycle, QUIET_TO_THE_END);
	else if (p != NULL)
		(void)dispatch_cancel(worker.is->dispatch,
		    ((const struct task *)p->ctx)->jid, CANCEL_USER);
	account.quiet = false; /* for as long as it takes to be sure */
}

/* Their places are those that the corpus knows: new ones go to the end. */
typedef void order(struct input *in, uint8_t who);
static order *const orders[] = { answer, habit, serve, stock, mutter, garble,
	send_some, send_all, turn_deaf, leave, half_close, reach, pass_time,
	program_ends, program_speaks, programs_are, signals, operate };

static void
carry_out(struct input *in)
{
	uint8_t what = next(in);
	uint8_t who = next(in);

	ONE_OF(orders, what & 0x3f)(in, who);
	if (what & 0x80) /* together with what follows */
		return;
	if (what & 0x40)
		(void)worker_turn();
	else
		worker_settle();
}

/* ---- the end of an input ---------------------------------------------------------------- */

/* From now on all servers are good ones, and programs end well. */
static void
be_good(void)
{
	host.script = NULL;
	host.stock = 0;
	programs.fail = 0;
	for (int i = 0; i < PEER_SERVERS; i++) {
		habits_are(i, HOST_GOOD);
		worker.reach[i] = REACH_GOOD;
	}
	/* What was garbled, or cut, is of no use to anybody. */
	for (size_t i = 0; i < PEERS; i++)
		peer_close(&peers[i]);
}

static void
programs_end(void)
{
	struct program *p;

	while ((p = program_pick(0)) != NULL)
		program_end(p, 0, "");
}

/* All that is owed is told, and then it ends. */
static void
finish(void)
{
	int64_t pause = CLOCK_NS_PER_S;

	worker_settle();
	be_good();
	for (int i = 0; !worker.over && !account_is_balanced(); i++) {
		if (i == PATIENT)
			account_show();
		must(i < PATIENT);
		programs_end();
		worker_pass(pause, 0);
		if (pause < 32 * CLOCK_NS_PER_S)
			pause *= 2;
	}
	if (!worker.over)
		ev_feed_signal_event(worker.is->loop, SIGTERM);
	for (int i = 0; !worker.over; i++) {
		must(i < END);
		programs_end();
		worker_pass(CLOCK_NS_PER_S, 0);
	}
}

static struct input *script;

static void
play(void)
{
	while (script->at < script->end && !worker.over)
		carry_out(script);
	finish();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct input in = { .at = data, .end = data + size };

	if (size > INPUT_MAX)
		return 0;
	if (!ready)
		worker_set_up();
	ready = true;

	uint8_t begins = next(&in);
	host.script = script = &in;
	host.in = NULL;
	host.stock = begins >> 4;
	host.flavour = 0;
	host.jobs = 0;
	for (int i = 0; i < PEER_SERVERS; i++)
		habits_are(i, begins & 2 ? 0 : HOST_GOOD);
	worker_live(begins & 1 ? 2 : 1, play);
	return 0;
}
