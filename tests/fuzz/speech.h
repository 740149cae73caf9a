/*
 * speech - what the clients of a conversation say, by the bytes of an input.
 *
 * Commands about a few queues, workers and jobs, so that they meet.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_SPEECH_H
#define TESTS_FUZZ_SPEECH_H

#include "tests/fuzz/input.h"
#include "tests/fuzz/stage.h"

enum { TEXT_MAX = 2048, WIDS = 3 };

#define WORKER_WORDS                                                           \
	"\"pid\":7,\"labels\":[\"a\"],"                                        \
	"\"x\":[\"release\",\"cancel\",\"fail-retry\",\"result\"]"

static const char *const queue_names[] = { "default", "low", "q.3", "mail" };

/* ---- who speaks ----------------------------------------------------------------- */

static void
say(struct input *in, struct voice *v, enum said said, int job, char *text)
{
	size_t len = strlen(text);

	if (!in->garble) {
		voice_say(v, said, job, text);
		return;
	}
	in->garble = false;
	text[in->where % len] = (char)in->what;
	voice_mutter(v, text, len);
	voice_mutter(v, "\n", 1);
}

static const char *
wid_of(const struct voice *v)
{
	static const char *const wids[WIDS] = { "wid-zero", "wid-one",
		"wid-two" };

	return wids[(size_t)(v - voices) % WIDS];
}

/* The last two of six fetch, if at all, without a name. */
static bool
is_worker(const struct voice *v)
{
	return v - voices < 4;
}

static void
open_voice(struct voice *v, bool greets, bool narrow)
{
	char text[TEXT_MAX];

	voice_close(v);
	int fd = voice_open(v, narrow ? 1 : 0);
	must(conn_new(stage.server, fd, "fuzzed") != NULL);
	if (!greets)
		return;
	if (is_worker(v))
		snprintf(text, sizeof text,
		    "HELLO "
		    "{\"v\":2,\"wid\":\"%s\",\"hostname\":\"h\"," WORKER_WORDS
		    "}",
		    wid_of(v));
	else
		snprintf(text, sizeof text, "HELLO {\"v\":2}");
	voice_say(v, SAID_HARMLESS, NO_JOB, text);
}

/* ---- what is said about jobs ------------------------------------------------------ */

/* A job, with the queue and one more member by two bytes of the input. */
static void
put_job(struct input *in, size_t job, char *out, size_t cap)
{
	uint8_t kind = next(in), more = next(in);
	char jid[LEDGER_JID], member[200] = "";

	if (kind & 0x10)
		snprintf(member, sizeof member, ",\"%s\":%s",
		    ONE_OF(members, more), ONE_OF(values, more >> 4));
	snprintf(out, cap,
	    "{\"jid\":\"%s\",\"jobtype\":\"t\",\"queue\":\"%s\",\"args\":[%u]"
	    ",\"retry\":%d%s%s}",
	    ledger_jid(job, jid), ONE_OF(queue_names, kind), more,
	    kind & 0x20 ? (kind & 0x40 ? 0 : -1) : 2,
	    kind & 0x80 ? ",\"reserve_for\":60" : "", member);
	/* What ends at its first failure may end in many ways; the other
	 * members may say so too, or that it is no job. */
	if ((kind & 0x30) != 0)
		ledger.job[job].may_go = true;
}

static void
push(struct input *in, struct voice *v)
{
	char text[TEXT_MAX] = "PUSH ";
	size_t job = ledger.count;

	if (job == LEDGER_JOBS)
		return;
	ledger.count++;
	ledger.job[job].may_go = !voices_are_calm();
	put_job(in, job, text + 5, sizeof text - 5);
	say(in, v, SAID_PUSH, (int)job, text);
}

static void
push_many(struct input *in, struct voice *v)
{
	char text[TEXT_MAX] = "PUSHB [";
	size_t n = 1 + next(in) % 3, len = 7;
	int job = NO_JOB;

	for (size_t i = 0; i < n && ledger.count < LEDGER_JOBS; i++) {
		size_t one = ledger.count++;

		ledger.job[one].may_go = !voices_are_calm();
		put_job(in, one, text + len, sizeof text - len - 3);
		len = strlen(text);
		text[len++] = ',';
		job = (int)one;
	}
	if (job == NO_JOB)
		return;
	strcpy(text + len - 1, "]");
	/* Of several the answer does not say which one it is about. */
	say(in, v, n == 1 ? SAID_BULK : SAID_HARMLESS, n == 1 ? job : NO_JOB,
	    text);
}

/* One that was pushed; NULL: none was. */
static struct ledger_job *
pick(struct input *in, int *job)
{
	size_t back = next(in);

	if (ledger.count == 0)
		return NULL;
	*job = (int)(ledger.count - 1 - back % ledger.count);
	return &ledger.job[*job];
}

static void
push_again(struct input *in, struct voice *v)
{
	char text[TEXT_MAX] = "PUSH ", jid[LEDGER_JID];
	int job;
	struct ledger_job *j = pick(in, &job);

	if (j == NULL)
		return;
	j->again = true;
	snprintf(text, sizeof text,
	    "PUSH "
	    "{\"jid\":\"%s\",\"jobtype\":\"t\",\"args\":[],\"queue\":\"%s\"}",
	    ledger_jid((size_t)job, jid), ONE_OF(queue_names, next(in)));
	say(in, v, SAID_HARMLESS, NO_JOB, text);
}

static void
fetch(struct input *in, struct voice *v)
{
	char text[TEXT_MAX], many[8];
	uint8_t which = next(in);

	snprintf(many, sizeof many, "B %d", which >> 4);
	snprintf(text, sizeof text, "FETCH%s %s%s%s%s", which >> 4 ? many : "",
	    ONE_OF(queue_names, which), which & 0x10 && which >> 5 ? ":2" : "",
	    which & 4 ? " low" : "", which & 8 ? " default mail" : "");
	say(in, v, SAID_FETCH, NO_JOB, text);
}

/* About one job, in the worker's name, another's, or nobody's. */
static void
about(struct input *in, struct voice *v, const char *verb, enum said said)
{
	char text[TEXT_MAX], jid[LEDGER_JID], more[300] = "", wid[64] = "";
	int job;
	struct ledger_job *j = pick(in, &job);
	uint8_t kind = next(in);

	if (j == NULL)
		return;
	if (kind & 1)
		snprintf(wid, sizeof wid, ",\"wid\":\"%s\"",
		    kind & 2 ? "wid-one" : wid_of(v));
	if (kind & 4)
		snprintf(more, sizeof more, ",\"result\":%s",
		    ONE_OF(values, kind >> 4));
	if (kind & 8)
		snprintf(more, sizeof more,
		    ",\"errtype\":\"e\",\"message\":\"m\",\"backtrace\":[\"b\"]"
		    ","
		    "\"retry\":%s,\"retry_in\":%s",
		    ONE_OF(values, kind >> 4), ONE_OF(values, kind >> 5));
	if (said == SAID_ACK && (wid[0] == '\0' || in->garble))
		said = SAID_MOVING;
	if (said != SAID_HARMLESS) {
		j->held = false;
		/* A failure alone ends none that may be tried again. */
		if (strcmp(verb, "RELEASE") != 0 &&
		    (strcmp(verb, "FAIL") != 0 || kind & 8))
			j->may_go = true;
	}
	snprintf(text, sizeof text, "%s {\"jid\":\"%s\"%s%s}", verb,
	    ledger_jid((size_t)job, jid), wid, more);
	say(in, v, said, said == SAID_ACK ? job : NO_JOB, text);
}

/*
 * What a worker has, whether it is true or not: its other jobs go back, and its
 * other connections may end, with what was said there and not heard yet.
 */
static void
say_what_is_held(struct input *in, struct voice *v)
{
	char text[TEXT_MAX] = "HELD {\"jids\":[", jid[LEDGER_JID];
	size_t len = strlen(text);
	uint8_t n = next(in) & 7;
	int job;

	ledger_all_may_move();
	for (uint8_t i = 0; i < n && pick(in, &job) != NULL; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
		    "%s\"%s\"", i > 0 ? "," : "", ledger_jid((size_t)job, jid));
	snprintf(text + len, sizeof text - len, "]}");
	say(in, v, SAID_MOVING, NO_JOB, text);
}

/* ---- what is said about all -------------------------------------------------------- */

static void
mutate(struct input *in, struct voice *v)
{
	static const char *const cmds[] = { "requeue", "kill", "discard",
		"clear" };
	static const char *const targets[] = { "scheduled", "retries", "dead" };
	static const char *const filters[] = { "null",
		"{\"jids\":[\"fuzzed-0000\",\"fuzzed-0002\"]}",
		"{\"regexp\":\"*fuzzed-000*\"}", "{\"jobtype\":\"t\"}" };
	char text[TEXT_MAX];
	uint8_t kind = next(in);

	ledger_all_may_move();
	if ((kind & 3) >= 2) /* the others keep what they move */
		ledger_all_may_go();
	snprintf(text, sizeof text,
	    "MUTATE {\"cmd\":\"%s\",\"target\":\"%s\",\"filter\":%s}",
	    ONE_OF(cmds, kind), ONE_OF(targets, kind >> 2),
	    ONE_OF(filters, kind >> 4));
	say(in, v, SAID_MOVING, NO_JOB, text);
}

static void
queue(struct input *in, struct voice *v)
{
	static const char *const words[] = { "PAUSE", "RESUME", "LATENCY",
		"REMOVE" };
	char text[TEXT_MAX];
	uint8_t kind = next(in);
	bool removes = (kind & 3) == 3;

	if (removes)
		ledger_all_may_go();
	snprintf(text, sizeof text, "QUEUE %s %s%s", ONE_OF(words, kind),
	    kind & 4 ? "*" : ONE_OF(queue_names, kind >> 3),
	    kind & 0x80 ? " low" : "");
	say(in, v, removes ? SAID_MOVING : SAID_HARMLESS, NO_JOB, text);
}

static void
flush(struct input *in, struct voice *v)
{
	char text[] = "FLUSH";

	ledger_all_may_go();
	say(in, v, SAID_FLUSH, NO_JOB, text);
}

static void
worker(struct input *in, struct voice *v)
{
	char text[TEXT_MAX];
	uint8_t kind = next(in);

	if (kind & 8)
		snprintf(text, sizeof text,
		    "BEAT {\"wid\":\"%s\",\"rss_kb\":%d%s}", wid_of(v), kind,
		    kind & 4 ? ",\"current_state\":\"quiet\"" : "");
	else
		snprintf(text, sizeof text, "WORKER %s {\"%s\":%s}",
		    kind & 1 ? "QUIET" : "TERMINATE", kind & 2 ? "wid" : "all",
		    kind & 2 ? "\"wid-one\"" : "true");
	say(in, v, SAID_HARMLESS, NO_JOB, text);
}

static void
word(struct input *in, struct voice *v)
{
	static const char *const lines[] = { "INFO", "TRACK", "BATCH", "",
		"HELLO {\"v\":2}", "PUSH", "FETCH ", "PUSHB null" };
	char text[TEXT_MAX];

	snprintf(text, sizeof text, "%s", ONE_OF(lines, next(in)));
	voice_say(v, text[0] == 'I' ? SAID_INFO : SAID_HARMLESS, NO_JOB, text);
}

static void
end(struct input *in, struct voice *v)
{
	char text[] = "END";

	/* What is said behind it is not heard any more. */
	ledger_all_may_move();
	say(in, v, SAID_MOVING, NO_JOB, text);
}

/* Bytes of the input as they are. */
static void
mutter(struct input *in, struct voice *v)
{
	size_t len = next(in) & 0x3f, left = (size_t)(in->end - in->at);

	if (len > left)
		len = left;
	voice_mutter(v, (const char *)in->at, len);
	in->at += len;
}

#endif
