/*
 * queue - the verb that pauses, resumes, removes and looks at queues.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/ask.h"
#include "protocol/job.h"

enum { ORDER_MAX = 1024 * 1024, NAMES_MAX = 1023 };

static const char usage[] =
    "Usage: faktotum queue list [OPTION...]\n"
    "       faktotum queue latency QUEUE... [OPTION...]\n"
    "       faktotum queue pause|resume|remove QUEUE... [OPTION...]\n"
    "       faktotum queue pause|resume|remove --all [OPTION...]\n"
    "\n"
    "Looks at queues on the server, or changes them for all workers.\n"
    "\n"
    "list prints each queue and how many jobs wait in it. latency prints for\n"
    "how many seconds the job that is next has waited. A paused queue takes\n"
    "jobs and gives none, until it is resumed. remove forgets the jobs that\n"
    "wait in a queue; it is not asked again. Jobs that are at work, scheduled\n"
    "or to be retried are left alone.\n"
    "\n"
    "  --all              all queues\n" ASK_OPTIONS_HELP
    "\n" SERVER_PASSWORD_HELP "\n"
    "Exit status: 0 done; 1 the server refuses it;\n" ASK_STATUS_HELP;

/* Of the protocol; `list` is INFO. */
static const struct action {
	const char *name;
	const char *word;
	bool all; /* --all may stand for names */
} actions[] = {
	{ "list", NULL, false },
	{ "latency", "LATENCY", false },
	{ "pause", "PAUSE", true },
	{ "resume", "RESUME", true },
	{ "remove", "REMOVE", true },
};

enum { NACTIONS = sizeof actions / sizeof actions[0] };

static int
put_order(struct buf *out, const struct ask *a, const struct action *what)
{
	int r = what->word != NULL ? buf_printf(out, "%s", what->word) : 0;

	if (r == 0 && (a->given & ASK_ALL))
		r = buf_append(out, " *", 2);
	for (size_t i = 0; r == 0 && i < a->nwords; i++)
		r = buf_printf(out, " %s", a->words[i]);
	return r;
}

/* Name and number, a line each; a number has digits behind the point or not. */
static void
put_numbers(const struct json *object, const char *head)
{
	struct json_walk w = json_walk(object);
	struct json name, value;

	printf("%-32s %12s\n", "queue", head);
	while (json_next_member(&w, &name, &value)) {
		char text[256];
		ssize_t n = json_decode_string(&name, text, sizeof text);

		ask_put(stdout, text, n > 0 ? (size_t)n : 0);
		printf("%*s %12.*s\n", n > 0 && n < 32 ? 32 - (int)n : 0, "",
		    (int)(value.len < 40 ? value.len : 40), value.text);
	}
}

static int
show(const struct ask *a, const struct action *what, const struct resp *reply)
{
	struct json object;

	if (what->word != NULL && strcmp(what->word, "LATENCY") != 0) {
		puts(a->json ? "{\"done\":true}" : "done");
		return EX_OK;
	}
	if (reply->kind != RESP_BULK || reply->text == NULL ||
	    json_check(reply->text, reply->len, &object, NULL) < 0)
		return ask_bad_answer(a);
	if (what->word == NULL) {
		struct json faktory = json_get(&object, "faktory");

		object = json_get(&faktory, "queues");
	}
	if (object.kind != JSON_OBJECT)
		return ask_bad_answer(a);
	if (a->json)
		printf("%.*s\n", (int)object.len, object.text);
	else
		put_numbers(&object, what->word != NULL ? "seconds" : "jobs");
	return EX_OK;
}

static int
check_words(const struct ask *a, const struct action *what)
{
	bool all = a->given & ASK_ALL;

	if (what == NULL)
		return ask_misuse(a,
		    "the first word is list, latency, pause, resume or remove");
	int status = ask_takes(a, what->all ? ASK_ALL : 0);
	if (status != 0)
		return status;
	if (what->word == NULL)
		return a->nwords == 0 ? 0
				      : ask_misuse(a, "list shows all queues");
	if ((a->nwords > 0) == all)
		return ask_misuse(a,
		    what->all ? "which? names of queues, or --all"
			      : "which? names of queues");
	if (a->nwords > NAMES_MAX)
		return ask_misuse(a, "too many names");
	for (size_t i = 0; i < a->nwords; i++)
		if (!job_queue_name_ok(a->words[i], strlen(a->words[i])))
			return ask_misuse(a,
			    "a queue's name has letters, digits, '.', '_' "
			    "and '-'; --all stands for every queue");
	return 0;
}

static int
carry_out(struct ask *a, const struct action *what)
{
	struct buf *order = buf_new(ORDER_MAX);
	struct resp reply = { 0 };
	int status = EX_USAGE;

	if (order != NULL && put_order(order, a, what) == 0)
		status = ask_send(
		    a, what->word != NULL ? "QUEUE" : "INFO", order, &reply);
	else
		(void)ask_misuse(a, "the names are too long");
	if (status == 1) {
		(void)ask_refused(a, &reply);
	} else if (status == 0) {
		status = show(a, what, &reply);
	}
	buf_free(order);
	return ask_end(a, status);
}

int
queue_main(int argc, char **argv)
{
	struct ask a = { .verb = "queue", .usage = usage };
	const struct action *what = NULL;
	int status = ask_read(&a, argc, argv);

	if (status >= 0)
		return status;
	for (size_t i = 0; i < NACTIONS; i++)
		if (strcmp(a.action, actions[i].name) == 0)
			what = &actions[i];
	status = check_words(&a, what);
	return status != 0 ? status : carry_out(&a, what);
}
