/*
 * compare - the queues of INFO beside the queues of the settings.
 *
 * INFO names queues and their sizes, and no jobtypes: which jobtypes wait in
 * a queue cannot be known from it, and that is said.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/compare.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "cli/connection.h"
#include "supervisor/security.h"

enum { QUEUE_NAME_MAX = 256 };

static const int64_t patience = 10 * CLOCK_NS_PER_S;

static bool
is_served(const struct settings *s, const struct json *name)
{
	for (size_t i = 0; i < s->nqueues; i++)
		if (json_string_is(
			name, s->queues[i].name, strlen(s->queues[i].name)))
			return true;
	return false;
}

/* Its name without what could move a terminal's cursor. */
static void
show_name(const struct json *name, char out[QUEUE_NAME_MAX])
{
	ssize_t n = json_decode_string(name, out, QUEUE_NAME_MAX - 1);

	if (n < 0)
		n = snprintf(out, QUEUE_NAME_MAX, "(a long name)");
	out[n] = '\0';
	for (char *c = out; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static void
put_known(const struct settings *s, const struct json *queues, FILE *out)
{
	struct json_walk w = json_walk(queues);
	struct json name, size;

	fprintf(out, "%-32s %10s  %s\n", "queue", "jobs", "served here");
	while (json_next_member(&w, &name, &size)) {
		char shown[QUEUE_NAME_MAX];
		int64_t jobs = 0;

		show_name(&name, shown);
		(void)json_int(&size, &jobs);
		fprintf(out, "%-32s %10" PRId64 "  %s\n", shown, jobs,
		    is_served(s, &name) ? "yes" : "no");
	}
}

static void
warn(const struct settings *s, const struct json *queues, FILE *out)
{
	struct json_walk w = json_walk(queues);
	struct json name, size;

	while (json_next_member(&w, &name, &size)) {
		char shown[QUEUE_NAME_MAX];

		show_name(&name, shown);
		if (!is_served(s, &name))
			fprintf(out,
			    "warning: queue %s is on the server and not in "
			    "%s\n",
			    shown, s->file);
	}
	for (size_t i = 0; i < s->nqueues; i++)
		if (json_get(queues, s->queues[i].name).kind == JSON_NONE)
			fprintf(out,
			    "warning: %s:%zu:%zu: queue %s is not on the "
			    "server; nothing was ever pushed to it, or it was "
			    "removed\n",
			    s->file, s->queues[i].at.line,
			    s->queues[i].at.column, s->queues[i].name);
}

int
compare_info(const struct settings *s, const char *info, size_t len, FILE *out,
    struct err *e)
{
	struct json whole, faktory, queues;

	if (json_check(info, len, &whole, NULL) < 0)
		return err_set(e, EINVAL, "INFO is answered with no JSON");
	faktory = json_get(&whole, "faktory");
	queues = json_get(&faktory, "queues");
	if (queues.kind != JSON_OBJECT)
		return err_set(e, EINVAL, "INFO is answered without queues");
	put_known(s, &queues, out);
	warn(s, &queues, out);
	fputs("note: the server does not tell which jobtypes wait in its "
	      "queues; a job whose jobtype has no handler here fails with "
	      "UnknownJobtype\n",
	    out);
	return 0;
}

int
compare_server(
    const struct settings *s, const struct url *u, FILE *out, struct err *e)
{
	struct url with = *u;
	struct resp reply;

	if (!with.has_password && s->password != NULL) {
		with.has_password = true;
		int n = snprintf(
		    with.password, sizeof with.password, "%s", s->password);
		if (n < 0 || (size_t)n >= sizeof with.password)
			return err_set(e, EINVAL, "the password is too long");
	}
	struct tls *tls = with.tls ? security_make(s, e) : NULL;
	struct connection *c = NULL;
	if (!with.tls || tls != NULL)
		c = connection_open(&with, tls, patience, e);
	tls_drop(tls);
	explicit_bzero(&with, sizeof with);
	if (c == NULL)
		return -e->code;
	int r = connection_ask(c, "INFO", NULL, 0, &reply, e);
	if (r == 0 && reply.kind != RESP_BULK)
		r = err_set(e, EPROTO, "INFO: %.*s",
		    (int)(reply.len < 200 ? reply.len : 200),
		    reply.text != NULL ? reply.text : "");
	if (r == 0)
		r = compare_info(s, reply.text, reply.len, out, e);
	connection_close(c);
	return r;
}
