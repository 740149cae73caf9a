/*
 * worker - the verb that tells a server's workers to stop fetching, or to end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/worker.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/ask.h"

enum { ORDER_MAX = 64 * 1024 };

static const char usage[] =
    "Usage: faktotum worker quiet|terminate WID... [OPTION...]\n"
    "       faktotum worker quiet|terminate --label LABEL [OPTION...]\n"
    "       faktotum worker quiet|terminate --all [OPTION...]\n"
    "\n"
    "Lets the server tell workers, wherever they run, to fetch no more jobs\n"
    "(quiet), or to end as well (terminate). Each hears of it with its next\n"
    "heartbeat. It cannot be taken back: a worker that is quiet is so until "
    "it\n"
    "is started anew. For the supervisor on this host see faktotum quiet,\n"
    "resume and drain. A stock server does not know this order.\n"
    "\n"
    "  --label LABEL      all workers with this label\n"
    "  --all              all workers\n" ASK_OPTIONS_HELP
    "\n" SERVER_PASSWORD_HELP "\n"
    "Exit status: 0 told; 1 there is no such worker;\n" ASK_STATUS_HELP;

/* Appends {"name":"value"}, or {"all":true} for a value of NULL. */
static int
put_choice(
    struct buf *out, const char *action, const char *name, const char *value)
{
	int r = buf_printf(out,
	    "%s {\"%s\":", strcmp(action, "quiet") == 0 ? "QUIET" : "TERMINATE",
	    name);

	if (r == 0 && value != NULL)
		r = json_put_string(out, value, strlen(value));
	else if (r == 0)
		r = buf_append(out, "true", 4);
	return r == 0 ? buf_putc(out, '}') : r;
}

/* How many the server told is added to *told. Returns an exit status. */
static int
tell(struct ask *a, const char *name, const char *value, int64_t *told)
{
	struct buf *order = buf_new(ORDER_MAX);
	struct json object, count;
	struct resp reply = { 0 };
	int status = EX_USAGE;
	int64_t n = 0;

	if (order != NULL && put_choice(order, a->action, name, value) == 0)
		status = ask_send(a, "WORKER", order, &reply);
	else
		(void)ask_misuse(a, "a name is too long");
	if (status == 1) {
		(void)ask_refused(a, &reply);
	} else if (status == 0) {
		if (reply.kind == RESP_BULK &&
		    json_check(reply.text, reply.len, &object, NULL) == 0) {
			count = json_get(&object, "workers");
			(void)json_int(&count, &n);
		}
		*told += n;
		status = n > 0 ? EX_OK : 1;
	}
	buf_free(order);
	return status;
}

static int
tell_each(struct ask *a, int64_t *told)
{
	int worst = EX_OK;

	for (size_t i = 0; i < a->nwords; i++) {
		int status = tell(a, "wid", a->words[i], told);

		if (status > 1)
			return status;
		if (status > worst)
			worst = status;
	}
	return worst;
}

static int
check_words(const struct ask *a)
{
	int ways =
	    (a->nwords > 0) + (a->label != NULL) + ((a->given & ASK_ALL) != 0);

	if (strcmp(a->action, "quiet") != 0 &&
	    strcmp(a->action, "terminate") != 0)
		return ask_misuse(a, "the first word is quiet or terminate");
	if (ways != 1)
		return ask_misuse(a, "which? WIDs, or --label LABEL, or --all");
	return ask_takes(a, ASK_ALL | ASK_LABEL);
}

int
worker_main(int argc, char **argv)
{
	struct ask a = { .verb = "worker", .usage = usage };
	int64_t told = 0;
	int status = ask_read(&a, argc, argv);

	if (status >= 0)
		return status;
	status = check_words(&a);
	if (status != 0)
		return status;
	status = a.nwords > 0 ? tell_each(&a, &told)
	    : a.label != NULL ? tell(&a, "label", a.label, &told)
			      : tell(&a, "all", NULL, &told);
	if (status <= 1 && a.json)
		printf("{\"workers\":%lld}\n", (long long)told);
	else if (status <= 1)
		printf("%lld worker%s told\n", (long long)told,
		    told == 1 ? " is" : "s are");
	return ask_end(&a, status);
}
