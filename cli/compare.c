/*
 * compare - the server's queues and jobtypes beside those of the settings.
 *
 * A stock server names its queues alone: which jobtypes it has cannot be known,
 * and that is said.
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

enum { SHOWN_MAX = 256 };

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
show_name(const struct json *name, char out[SHOWN_MAX])
{
	ssize_t n = json_decode_string(name, out, SHOWN_MAX - 1);

	if (n < 0)
		n = snprintf(out, SHOWN_MAX, "(a long name)");
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
		char shown[SHOWN_MAX];
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
		char shown[SHOWN_MAX];

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
	return 0;
}

/* ---- jobtypes ------------------------------------------------------------ */

/* Where it has no handler, `unknown` decides. */
static bool
has_handler(const struct settings *s, const struct json *name)
{
	for (size_t i = 0; i < s->nhandlers; i++)
		if (json_string_is(name, s->handlers[i].jobtype,
			strlen(s->handlers[i].jobtype)))
			return true;
	return false;
}

static void
put_jobtype(const char *name, int64_t jobs, const char *handler, FILE *out)
{
	fprintf(out, "%-32s %10" PRId64 "  %s\n", name, jobs, handler);
}

static void
put_jobtypes(const struct settings *s, const struct json *types, int64_t others,
    FILE *out)
{
	const char *without = s->unknown_handler != NULL ? "unknown" : "no";
	struct json_walk w = json_walk(types);
	struct json name, count;

	fprintf(out, "%-32s %10s  %s\n", "jobtype", "jobs", "handler here");
	while (json_next_member(&w, &name, &count)) {
		char shown[SHOWN_MAX];
		int64_t jobs = 0;

		show_name(&name, shown);
		(void)json_int(&count, &jobs);
		put_jobtype(
		    shown, jobs, has_handler(s, &name) ? "yes" : without, out);
	}
	if (others > 0)
		put_jobtype("(not told apart)", others, "?", out);
	for (size_t i = 0; i < s->nhandlers; i++)
		if (json_get(types, s->handlers[i].jobtype).kind == JSON_NONE)
			put_jobtype(s->handlers[i].jobtype, 0, "yes", out);
}

static void
warn_of_jobtypes(const struct settings *s, const struct json *types, FILE *out)
{
	struct json_walk w = json_walk(types);
	struct json name, count;

	while (json_next_member(&w, &name, &count)) {
		char shown[SHOWN_MAX];

		show_name(&name, shown);
		if (!has_handler(s, &name) && s->unknown_handler == NULL)
			fprintf(out,
			    "warning: jobtype %s is on the server and has no "
			    "handler in %s\n",
			    shown, s->file);
	}
}

int
compare_jobtypes(const struct settings *s, const char *answer, size_t len,
    FILE *out, struct err *e)
{
	struct json whole, types, rest;
	int64_t others = 0;

	if (json_check(answer, len, &whole, NULL) < 0)
		return err_set(e, EINVAL, "JOBTYPES is answered with no JSON");
	types = json_get(&whole, "jobtypes");
	rest = json_get(&whole, "others");
	if (types.kind != JSON_OBJECT || json_int(&rest, &others) < 0)
		return err_set(
		    e, EINVAL, "JOBTYPES is answered without jobtypes");
	put_jobtypes(s, &types, others, out);
	warn_of_jobtypes(s, &types, out);
	return 0;
}

/* ---- asked ---------------------------------------------------------------- */

static int
ask_queues(
    const struct settings *s, struct connection *c, FILE *out, struct err *e)
{
	struct resp reply;
	int r = connection_ask(c, "INFO", NULL, 0, &reply, e);

	if (r == 0 && reply.kind != RESP_BULK)
		r = err_set(e, EPROTO, "INFO: %.*s",
		    (int)(reply.len < 200 ? reply.len : 200),
		    reply.text != NULL ? reply.text : "");
	return r < 0 ? r : compare_info(s, reply.text, reply.len, out, e);
}

/* A stock server does not know the word, and that is no mistake of its. */
static int
ask_jobtypes(
    const struct settings *s, struct connection *c, FILE *out, struct err *e)
{
	struct resp reply;
	int r = connection_ask(c, "JOBTYPES", NULL, 0, &reply, e);

	if (r < 0)
		return r;
	if (reply.kind == RESP_BULK)
		return compare_jobtypes(s, reply.text, reply.len, out, e);
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
	int r = ask_queues(s, c, out, e);
	if (r == 0)
		r = ask_jobtypes(s, c, out, e);
	connection_close(c);
	return r;
}
