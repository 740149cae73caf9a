/*
 * host - what a made-up server says: a menu for each kind of request.
 *
 * An answer is chosen by an order, or by the habit that a server has for a
 * kind. The first of each menu is none, the second what a good server says;
 * new ones go to the end, since the corpus knows their places.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_HOST_H
#define TESTS_FUZZ_HOST_H

#include "tests/fuzz/input.h"
#include "tests/fuzz/worker.h"

enum { HOST_TEXT = 2048, HOST_MENU = 12, HOST_GOOD = 1, HOST_STOCK = 3 };

/* What begins with these is made by host_job() and host_jobs(). */
#define HOST_ONE  "job"
#define HOST_MANY "jobs"

static const char *const host_menu[ASKED_KINDS][HOST_MENU] = {
	[ASKED_NOTHING] = { NULL,
	    "+HI {\"v\":2,\"x\":[\"release\",\"cancel\",\"fail-retry\","
	    "\"result\",\"fetchb\"]}\r\n",
	    "+HI {\"v\":2}\r\n", "+HI {\"v\":2,\"i\":3,\"s\":\"5f\"}\r\n",
	    "+HI {\"v\":1,\"x\":[\"fetchb\"]}\r\n",
	    "+HI {\"v\":2,\"x\":[\"release\",\"result\"]}\r\n",
	    "-ERR too many connections\r\n", "+HI\r\n", "$2\r\nHI\r\n",
	    "+HI {\"v\":2,\"x\":[\"fail-retry\",\"cancel\"]}\r\n",
	    "+HI {\"v\":2}\r\n+OK\r\n", "+HI {\"v\":2,\"x\":[\"fetchb\"]}\n" },
	[ASKED_HELLO] = { NULL, "+OK\r\n", "-ERR Invalid password\r\n",
	    "-ERR no\r\n", "$-1\r\n", ":1\r\n", "+OK\r\n+OK\r\n", "+\r\n",
	    "$2\r\nOK\r\n", "*1\r\n$2\r\nOK\r\n", "OK\r\n", "+OK\n" },
	[ASKED_BEAT] = { NULL, "+OK\r\n", "$17\r\n{\"state\":\"quiet\"}\r\n",
	    "$21\r\n{\"state\":\"terminate\"}\r\n", "-ERR unknown worker\r\n",
	    "-ERR no\r\n", "lost", "cancel", "$-1\r\n", "+QUIET\r\n",
	    "$2\r\n{}\r\n", ":0\r\n" },
	[ASKED_FETCH] = { NULL, HOST_ONE, "$-1\r\n", HOST_MANY, HOST_MANY "+",
	    "-ERR no\r\n", "$0\r\n\r\n", ":1\r\n", "+OK\r\n", "$2\r\n{}\r\n",
	    "*1\r\n$3\r\nabc\r\n", "again" },
	[ASKED_OUTCOME] = { NULL, "+OK\r\n", "-ERR Job not found fuzzed\r\n",
	    "-ERR try again\r\n", "-ERR invalid ACK\r\n",
	    "-ERR unknown command\r\n", "$-1\r\n", ":1\r\n", "$2\r\nOK\r\n",
	    "-ERR invalid FAIL\r\n", "-ERR\r\n", "+OK\r\n+OK\r\n" },
	[ASKED_PUSH] = { NULL, "$2\r\n{}\r\n", "$15\r\n{\"j\":\"refused\"}\r\n",
	    "-ERR invalid JSON\r\n", "-ERR try again\r\n", "+OK\r\n", "$-1\r\n",
	    "-NOTUNIQUE x\r\n", "$1\r\n{\r\n",
	    "$16\r\n{\"j\":{\"a\":[1]}}\r\n\r\n", "*1\r\n$0\r\n\r\n",
	    "-ERR unknown command\r\n" },
};

static struct {
	uint8_t habit[PEER_SERVERS][ASKED_KINDS];
	unsigned stock;       /* jobs that habits may still hand out */
	uint8_t flavour;      /* of these */
	unsigned jobs;        /* made so far */
	struct input *script; /* NULL: nothing is garbled any more */
	struct input *in;     /* an order describes what it says; else NULL */
} host;

/* ---- jobs ------------------------------------------------------------------------------- */

static const char *const host_types[] = { "t", "narrow", "brittle", "t",
	"nobody", "narrow", "t", "brittle" };

static const char *const host_queues[] = { "default", "low", "q.3", "mail" };

static uint8_t
host_next(void)
{
	if (host.in != NULL)
		return next(host.in);
	host.flavour = (uint8_t)(host.flavour * 5 + 1);
	return host.flavour;
}

/* With the bytes of the input; again: one that was there already. */
static void
host_job(char out[HOST_TEXT], bool again)
{
	uint8_t kind = host_next(), more = kind & 0x80 ? host_next() : 0;
	unsigned number = host.jobs++;
	char member[200] = "", retry[32] = "";

	if (again && number > 0)
		number -= 1 + kind % number;
	if (more & 0x80)
		snprintf(member, sizeof member, ",\"%s\":%s",
		    ONE_OF(members, more), ONE_OF(values, more >> 3));
	if (kind & 0x20)
		snprintf(
		    retry, sizeof retry, ",\"retry\":%d", kind & 0x40 ? 0 : -1);
	snprintf(out, HOST_TEXT,
	    "{\"jid\":\"fuzzed-%u%s\",\"jobtype\":\"%s\",\"queue\":\"%s\","
	    "\"args\":[%u]%s%s%s}",
	    number, more & 0x40 ? "\\u00002" : "", ONE_OF(host_types, kind),
	    ONE_OF(host_queues, kind >> 3), number, retry,
	    kind & 0x40 ? ",\"reserve_for\":60" : "", member);
}

static void
host_put_jobs(struct buf *out, size_t n, bool array)
{
	char text[HOST_TEXT];

	if (array)
		must(buf_printf(out, "*%zu\r\n", n) == 0);
	for (size_t i = 0; i < n; i++) {
		host_job(text, false);
		must(resp_put_bulk(out, text, strlen(text)) == 0);
	}
}

/* ---- answers ----------------------------------------------------------------------------- */

/* A job of those that run here, in a list of that name. */
static void
host_put_news(struct buf *out, const char *name)
{
	const struct program *p = program_pick(host_next());
	const struct task *t = p != NULL ? p->ctx : NULL;
	char text[HOST_TEXT] = "";

	if (t != NULL && t->job.jid.len == strlen(t->jid))
		snprintf(
		    text, sizeof text, "{\"%s\":[\"%.90s\"]}", name, t->jid);
	else
		snprintf(text, sizeof text, "{\"%s\":[\"fuzzed-0\",1]}", name);
	must(resp_put_bulk(out, text, strlen(text)) == 0);
}

static void
host_put(struct buf *out, const char *what, size_t wanted)
{
	char text[HOST_TEXT];

	if (strcmp(what, HOST_ONE) == 0) {
		host_put_jobs(out, 1, false);
	} else if (strcmp(what, "again") == 0) {
		host_job(text, true);
		must(resp_put_bulk(out, text, strlen(text)) == 0);
	} else if (strcmp(what, HOST_MANY) == 0) {
		host_put_jobs(out, wanted, true);
	} else if (strcmp(what, HOST_MANY "+") == 0) {
		host_put_jobs(out, wanted + 1, true);
	} else if (what[0] == 'l' || what[0] == 'c') {
		host_put_news(out, what);
	} else {
		must(buf_puts(out, what) == 0);
	}
}

/* What the next answer of this conversation is about. */
static enum asked
host_question(struct peer *p, size_t *wanted)
{
	*wanted = 1;
	if (p->composed < p->replies)
		p->composed = p->replies;
	if (p->composed == 0)
		return ASKED_NOTHING;
	if (p->composed == 1)
		return ASKED_HELLO;
	size_t i = p->composed - (p->replies < 2 ? 2 : p->replies);
	if (i >= p->nasked)
		return ASKED_KINDS; /* nobody has asked */
	if (p->asked[i].kind == ASKED_FETCH)
		*wanted = p->asked[i].jobs;
	return p->asked[i].kind;
}

/* With one byte that is another one, if the input says so. */
static void
host_garble(struct buf *out, size_t before)
{
	char bytes[HOST_TEXT];
	size_t len = buf_len(out) - before;

	struct input *in = host.script;

	if (in == NULL || !in->garble || len > sizeof bytes || len == 0)
		return;
	in->garble = false;
	memcpy(bytes, buf_front(out) + before, len);
	bytes[in->where % len] = (char)in->what;
	buf_cut(out, before);
	must(buf_append(out, bytes, len) == 0);
}

/* Says one answer, or its like when nobody asks. */
static void
host_answers(struct peer *p, uint8_t choice)
{
	size_t wanted, before = buf_len(p->unsent);
	enum asked kind = host_question(p, &wanted);
	const char *what = host_menu[kind == ASKED_KINDS ? ASKED_OUTCOME : kind]
				    [choice % HOST_MENU];

	if (p->fd < 0 || what == NULL)
		return;
	host_put(p->unsent, what, wanted);
	p->composed++;
	host_garble(p->unsent, before);
}

static bool
hands_out(uint8_t habit)
{
	const char *what = host_menu[ASKED_FETCH][habit % HOST_MENU];

	return what != NULL && what[0] >= 'a';
}

/* What each server does by itself. A good one hands out its stock and says
 * that it has none. */
static void
habits_turn(void)
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *p = &peers[i];
		size_t wanted;
		enum asked kind;

		while (p->fd >= 0 && !p->gone &&
		    (kind = host_question(p, &wanted)) != ASKED_KINDS) {
			uint8_t habit = host.habit[p->server][kind];

			if (habit % HOST_MENU == 0)
				break;
			if (kind == ASKED_FETCH && hands_out(habit))
				habit = host.stock > 0 ? habit : 2;
			if (kind == ASKED_FETCH && hands_out(habit))
				host.stock--;
			if (kind == ASKED_HELLO && !p->introduced)
				break;
			host_answers(p, habit);
		}
	}
}

static void
habits_are(int server, uint8_t habit)
{
	memset(host.habit[server], habit, sizeof host.habit[server]);
}

#endif
