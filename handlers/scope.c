/*
 * scope - StartTransientUnit, and the end of the job that it begins.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/scope.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>
#include <time.h>

#include "base/clock.h"

#define MANAGER   "org.freedesktop.systemd1"
#define PATH      "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"

/* Until an earlier try's unit of this name, whose processes died, has gone. */
#define NAP INT64_C(20000000) /* ns */

/* One question, until it is answered. */
struct asking {
	sd_bus *bus;
	const char *unit; /* NULL: nothing follows the reply */
	int64_t until;    /* clock_mono() */
	struct err *e;
	bool over; /* result counts */
	int result;
	bool exists; /* it was refused for its name */
};

static int
fail(struct asking *a, int code, const char *what)
{
	a->over = true;
	a->result = a->unit != NULL
	    ? err_set(a->e, code, "%s: %.300s", a->unit, what)
	    : err_set(a->e, code, "%.300s", what);
	return a->result;
}

static int
on_reply(sd_bus_message *m, void *ctx, sd_bus_error *unused)
{
	struct asking *a = ctx;
	const sd_bus_error *said = sd_bus_message_get_error(m);

	(void)unused;
	if (said == NULL) {
		a->over = a->unit == NULL;
		return 0;
	}
	a->exists = sd_bus_error_has_name(said, MANAGER ".UnitExists");
	int code = sd_bus_message_get_errno(m);
	fail(a, code > 0 ? code : EIO,
	    said->message != NULL ? said->message : said->name);
	return 0;
}

/* What the manager has begun ends well, or for one of systemd's reasons. */
static int
on_removed(sd_bus_message *m, void *ctx, sd_bus_error *unused)
{
	struct asking *a = ctx;
	const char *job, *unit, *result;
	char what[100];
	uint32_t id;

	(void)unused;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0 ||
	    strcmp(unit, a->unit) != 0)
		return 0;
	if (strcmp(result, "done") == 0) {
		a->over = true;
		return 0;
	}
	(void)snprintf(
	    what, sizeof what, "the manager could not start it: %.50s", result);
	fail(a, EIO, what);
	return 0;
}

/* Nothing here blocks, so that one end holds for connecting, too. */
static int
wait_for_end(struct asking *a)
{
	while (!a->over) {
		int r = sd_bus_process(a->bus, NULL);
		int64_t left = a->until - clock_mono();

		if (r < 0)
			return fail(a, -r, strerror(-r));
		if (a->over)
			break;
		if (left <= 0)
			return fail(a, ETIMEDOUT,
			    "the service manager does not answer");
		if (r > 0)
			continue;
		r = sd_bus_wait(a->bus, (uint64_t)left / 1000 + 1);
		if (r < 0 && r != -EINTR)
			return fail(a, -r, strerror(-r));
	}
	return a->result;
}

static int
connect_to_bus(struct asking *a)
{
	int r = sd_bus_open_system(&a->bus);
	char what[200];

	if (r >= 0)
		return 0;
	(void)snprintf(what, sizeof what,
	    "the system bus cannot be reached: %.100s", strerror(-r));
	return fail(a, -r, what);
}

static int
put_text(sd_bus_message *m, const char *name, const char *value)
{
	return sd_bus_message_append(m, "(sv)", name, "s", value);
}

static int
put_number(sd_bus_message *m, const char *name, int64_t value)
{
	return sd_bus_message_append(m, "(sv)", name, "t", (uint64_t)value);
}

static int
put_limits(sd_bus_message *m, const struct cgroup_limits *l)
{
	int r = 0;

	if (l->memory_max > 0) {
		r = put_number(m, "MemoryMax", l->memory_max);
		if (r >= 0)
			r = put_number(m, "MemorySwapMax", 0);
	}
	if (r >= 0 && l->tasks_max > 0)
		r = put_number(m, "TasksMax", l->tasks_max + 1);
	if (r >= 0 && l->cpu_weight > 0)
		r = put_number(m, "CPUWeight", l->cpu_weight);
	/* µs in each second. */
	if (r >= 0 && l->cpu_percent > 0)
		r = put_number(m, "CPUQuotaPerSecUSec", l->cpu_percent * 10000);
	return r;
}

/*
 * At the host's shutdown the manager stops in the reverse order of starts: it
 * must not end our programs before we have had our time to.
 */
static int
put_order(sd_bus_message *m)
{
	char *ours = NULL;
	int r = 0;

	if (sd_pid_get_unit(0, &ours) >= 0 && strlen(ours) > 8 &&
	    strcmp(ours + strlen(ours) - 8, ".service") == 0)
		r = sd_bus_message_append(m, "(sv)", "Before", "as", 1, ours);
	free(ours);
	return r;
}

static int
put_unit(
    sd_bus_message *m, const struct scope_request *q, pid_t init, pid_t program)
{
	int r = sd_bus_message_append(m, "ss", q->unit, "fail");

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = put_text(m, "Description", q->description);
	if (r >= 0)
		r = put_text(m, "Slice", q->slice);
	if (r >= 0)
		r = put_text(m, "CollectMode", "inactive-or-failed");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 2,
		    (uint32_t)init, (uint32_t)program);
	if (r >= 0)
		r = put_limits(m, &q->limits);
	if (r >= 0)
		r = put_order(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r >= 0 ? sd_bus_message_append(m, "a(sa(sv))", 0) : r;
}

/* Sends m, or says why it is none. */
static int
send_question(struct asking *a, sd_bus_message *m, int made)
{
	if (made >= 0)
		made =
		    sd_bus_call_async(a->bus, NULL, m, on_reply, a, UINT64_MAX);
	return made >= 0 ? 0 : fail(a, -made, strerror(-made));
}

static int
ask(struct asking *a, const struct scope_request *q, pid_t init, pid_t program)
{
	sd_bus_message *m = NULL;
	int r = connect_to_bus(a);

	if (r < 0)
		return r;
	r = sd_bus_match_signal_async(a->bus, NULL, MANAGER, PATH, INTERFACE,
	    "JobRemoved", on_removed, NULL, a);
	if (r >= 0)
		r = sd_bus_message_new_method_call(
		    a->bus, &m, MANAGER, PATH, INTERFACE, "StartTransientUnit");
	if (r >= 0)
		r = put_unit(m, q, init, program);
	r = send_question(a, m, r);
	if (r == 0)
		r = wait_for_end(a);
	sd_bus_message_unref(m);
	return r;
}

int
scope_make(
    const struct scope_request *q, pid_t init, pid_t program, struct err *e)
{
	int64_t until = clock_mono() + SCOPE_PATIENCE;

	for (;;) {
		struct asking a = { .unit = q->unit, .until = until, .e = e };
		int r = ask(&a, q, init, program);

		sd_bus_close_unref(a.bus);
		if (!a.exists || clock_mono() + NAP > until)
			return r;
		nanosleep(&(struct timespec){ .tv_nsec = NAP }, NULL);
	}
}

int
scope_probe(int64_t patience, struct err *e)
{
	struct asking a = { .until = clock_mono() + patience, .e = e };
	sd_bus_message *m = NULL;
	int r = connect_to_bus(&a);

	if (r == 0 && patience > 0) {
		int made = sd_bus_message_new_method_call(a.bus, &m, MANAGER,
		    PATH, "org.freedesktop.DBus.Peer", "Ping");

		r = send_question(&a, m, made);
		if (r == 0)
			r = wait_for_end(&a);
		sd_bus_message_unref(m);
	}
	sd_bus_close_unref(a.bus);
	return r;
}
