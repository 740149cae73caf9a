/*
 * job - the verb that ends jobs, asks for results and moves jobs between sets.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/job.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/ask.h"

enum { ORDER_MAX = 1024 * 1024 };

static const char usage[] =
    "Usage: faktotum job cancel JID... [OPTION...]\n"
    "       faktotum job result JID [OPTION...]\n"
    "       faktotum job requeue|kill|discard SET JID... [OPTION...]\n"
    "       faktotum job requeue|kill|discard SET [--type JOBTYPE]\n"
    "                    [--match GLOB] [OPTION...]\n"
    "       faktotum job requeue|kill|discard SET --all [OPTION...]\n"
    "\n"
    "Gives the server orders about jobs, wherever they are.\n"
    "\n"
    "cancel ends every job of this JID: one that waits, is scheduled or is to\n"
    "be retried is removed; one that is at work is stopped by its worker, and\n"
    "is dead. (faktotum cancel asks the supervisor on this host, and lets the\n"
    "job be retried.) result prints what a job gave back, as JSON, if the\n"
    "server has kept it. A stock server knows neither.\n"
    "\n"
    "requeue puts jobs of a SET (scheduled, retries or dead) into their\n"
    "queues, kill makes them dead, discard forgets them: the named ones, "
    "those\n"
    "of a jobtype, those whose stored JSON matches a glob, or all. The server\n"
    "does not say how many there were.\n"
    "\n"
    "  --type JOBTYPE     only jobs of this type\n"
    "  --match GLOB       only jobs whose JSON matches, e.g. '*\"user\":7*'\n"
    "  --all              all jobs of the SET\n" ASK_OPTIONS_HELP
    "\n" SERVER_PASSWORD_HELP "\n"
    "Exit status: 0 done; 1 there is no such job or no result, or it cannot "
    "be\n"
    "ended;\n" ASK_STATUS_HELP;

static int
put_member(struct buf *out, const char *before, const char *text)
{
	int r = buf_append(out, before, strlen(before));

	return r == 0 ? json_put_string(out, text, strlen(text)) : r;
}

/* {"jid":"..."}; an exit status, what is wrong having been told. */
static int
ask_about(struct ask *a, const char *verb, const char *jid, struct resp *reply)
{
	struct buf *order = buf_new(ORDER_MAX);
	int status;

	if (order != NULL && put_member(order, "{\"jid\":", jid) == 0 &&
	    buf_putc(order, '}') == 0)
		status = ask_send(a, verb, order, reply);
	else
		status = ask_misuse(a, "a JID is too long");
	buf_free(order);
	return status;
}

/* The answer to one CANCEL as an object with the jid in front. */
static void
put_json(const char *jid, const struct resp *reply, bool refused)
{
	struct buf *out = buf_new((size_t)2 * ORDER_MAX);
	int r = out != NULL ? put_member(out, "{\"jid\":", jid) : -1;

	if (r == 0 && refused)
		r = buf_append(out, ",\"error\":", 9);
	if (r == 0 && refused)
		r = json_put_string(out, reply->text, reply->len);
	if (r == 0 && refused)
		r = buf_putc(out, '}');
	else if (r == 0)
		r = buf_printf(
		    out, ",%.*s", (int)(reply->len - 1), reply->text + 1);
	if (r == 0)
		printf("%.*s\n", (int)buf_len(out), buf_front(out));
	buf_free(out);
}

static int64_t
number(const struct json *object, const char *name)
{
	struct json value = json_get(object, name);
	int64_t n = 0;

	(void)json_int(&value, &n);
	return n;
}

static int
cancel_one(struct ask *a, const char *jid)
{
	struct json object = { 0 };
	struct resp reply = { 0 };
	int status = ask_about(a, "CANCEL", jid, &reply);

	if (status > 1)
		return status;
	if (status == 0 &&
	    (reply.kind != RESP_BULK || reply.text == NULL ||
		json_check(reply.text, reply.len, &object, NULL) < 0 ||
		object.kind != JSON_OBJECT || json_count(&object) == 0))
		return ask_bad_answer(a);
	if (a->json) {
		put_json(jid, &reply, status == 1);
	} else if (status == 1) {
		(void)ask_refused(a, &reply);
	} else {
		int64_t told = number(&object, "told");

		ask_put(stdout, jid, strlen(jid));
		puts(told > 0 ? " is at work: its worker is told to end it"
			      : " is removed");
	}
	return status;
}

static int
cancel(struct ask *a)
{
	int worst = EX_OK;

	if (a->nwords == 0)
		return ask_misuse(a, "which job? JID is missing");
	int status = ask_takes(a, 0);
	for (size_t i = 0; status <= 1 && i < a->nwords; i++) {
		status = cancel_one(a, a->words[i]);
		if (status > worst)
			worst = status;
	}
	return status > worst ? status : worst;
}

static int
result(struct ask *a)
{
	struct json object, value;
	struct resp reply = { 0 };

	if (a->nwords != 1)
		return ask_misuse(a, "which job? one JID");
	int status = ask_takes(a, 0);
	if (status == 0)
		status = ask_about(a, "RESULT", a->words[0], &reply);
	if (status > 1)
		return status;
	if (status == 1)
		return ask_refused(a, &reply);
	if (reply.kind == RESP_NULL) {
		fprintf(stderr, "faktotum %s: no result of this job is kept\n",
		    a->verb);
		return 1;
	}
	if (reply.kind != RESP_BULK ||
	    json_check(reply.text, reply.len, &object, NULL) < 0)
		return ask_bad_answer(a);
	value = json_get(&object, "result");
	if (a->json || value.kind == JSON_NONE)
		value = object;
	if (json_get(&object, "failed").kind == JSON_TRUE && !a->json)
		fprintf(
		    stderr, "faktotum %s: it came with a failure\n", a->verb);
	(void)fwrite(value.text, 1, value.len, stdout);
	putchar('\n');
	return EX_OK;
}

/* Without spaces, which a stock server does not take. */
static int
put_mutation(struct buf *out, const struct ask *a)
{
	int r = buf_printf(
	    out, "{\"cmd\":\"%s\",\"target\":\"%s\"", a->action, a->words[0]);

	if (r == 0 && !(a->given & ASK_ALL))
		r = buf_append(out, ",\"filter\":{", 11);
	for (size_t i = 1; r == 0 && i < a->nwords; i++)
		r = put_member(out, i == 1 ? "\"jids\":[" : ",", a->words[i]);
	if (r == 0 && a->nwords > 1)
		r = buf_putc(out, ']');
	if (r == 0 && a->type != NULL)
		r = put_member(out, "\"jobtype\":", a->type);
	if (r == 0 && a->match != NULL)
		r = put_member(out,
		    a->type != NULL ? ",\"regexp\":" : "\"regexp\":", a->match);
	if (r == 0 && !(a->given & ASK_ALL))
		r = buf_putc(out, '}');
	return r == 0 ? buf_putc(out, '}') : r;
}

static int
check_mutation(const struct ask *a)
{
	bool filter = a->type != NULL || a->match != NULL;
	int ways = (a->nwords > 1) + filter + ((a->given & ASK_ALL) != 0);

	if (a->nwords == 0 ||
	    (strcmp(a->words[0], "scheduled") != 0 &&
		strcmp(a->words[0], "retries") != 0 &&
		strcmp(a->words[0], "dead") != 0))
		return ask_misuse(
		    a, "of which SET? scheduled, retries or dead");
	if (ways != 1)
		return ask_misuse(
		    a, "which jobs? JIDs, or --type and --match, or --all");
	return ask_takes(a, ASK_ALL | ASK_TYPE | ASK_MATCH);
}

static int
mutate(struct ask *a)
{
	int status = check_mutation(a);
	struct buf *order = buf_new(ORDER_MAX);
	struct resp reply = { 0 };

	if (status == 0 && (order == NULL || put_mutation(order, a) < 0))
		status = ask_misuse(a, "there are too many JIDs");
	else if (status == 0)
		status = ask_send(a, "MUTATE", order, &reply);
	if (status == 0) {
		puts(a->json ? "{\"done\":true}" : "done");
	} else if (status == 1) {
		(void)ask_refused(a, &reply);
	}
	buf_free(order);
	return status;
}

int
job_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct ask *a);
	} actions[] = {
		{ "cancel", cancel },
		{ "result", result },
		{ "requeue", mutate },
		{ "kill", mutate },
		{ "discard", mutate },
	};
	struct ask a = { .verb = "job", .usage = usage };
	int status = ask_read(&a, argc, argv);

	if (status >= 0)
		return status;
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(a.action, actions[i].name) == 0)
			return ask_end(&a, actions[i].run(&a));
	return ask_misuse(
	    &a, "the first word is cancel, result, requeue, kill or discard");
}
