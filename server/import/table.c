/*
 * table - what was in Redis and what is in the store now, side by side.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/table.h"

#include <inttypes.h>
#include <string.h>

#include "server/import/aside.h"

enum { NAME_WIDTH = 32 };

static bool
agrees(const struct plan_count *c)
{
	return c->here == c->there - c->aside;
}

bool
table_agrees(const struct plan *p)
{
	for (size_t i = 0; i < p->nqueues; i++)
		if (!agrees(&p->queues[i]->count))
			return false;
	for (int i = 0; i < PLAN_SETS; i++)
		if (!agrees(&p->sets[i]))
			return false;
	return true;
}

static void
row(FILE *out, const char *what, const struct plan_count *c, const char *note)
{
	fprintf(out, "%-*s %12" PRId64 " %12" PRId64 " %12" PRId64 "%s%s\n",
	    NAME_WIDTH, what, c->there, c->aside, c->here, note,
	    agrees(c) ? "" : "  DIFFERS");
}

static void
add(struct plan_count *sum, const struct plan_count *c)
{
	sum->there += c->there;
	sum->aside += c->aside;
	sum->here += c->here;
}

/* A queue's name is letters, digits and the like: plan.c has seen to it. */
static void
print_queue(const struct plan_queue *q, FILE *out)
{
	char what[NAME_WIDTH + 1];

	snprintf(what, sizeof what, "queue %s", q->name);
	if (strlen(q->name) + strlen("queue ") > NAME_WIDTH) {
		fprintf(out, "queue %s\n", q->name);
		what[0] = '\0';
	}
	row(out, what, &q->count,
	    q->paused                      ? "  paused"
		: q->sizes[LAYOUT_OLD] > 0 ? "  of a server before 1.10"
					   : "");
}

static void
print_left(const struct plan *p, FILE *out)
{
	if (p->nleft == 0)
		return;
	fputs("not of a queue or set, and left alone:", out);
	for (size_t i = 0; i < p->nleft && i < PLAN_LEFT_SHOWN; i++) {
		putc(' ', out);
		aside_say(out, p->left[i]);
	}
	if (p->nleft > PLAN_LEFT_SHOWN)
		fprintf(out, " and %zu more", p->nleft - PLAN_LEFT_SHOWN);
	putc('\n', out);
}

void
table_print(const struct plan *p, FILE *out)
{
	struct plan_count sum = { 0 };
	size_t empty = 0;

	fprintf(out, "%-*s %12s %12s %12s\n", NAME_WIDTH, "", "Redis",
	    "set aside", "here");
	for (size_t i = 0; i < p->nqueues; i++) {
		const struct plan_queue *q = p->queues[i];

		add(&sum, &q->count);
		if (q->count.there == 0 && q->count.here == 0 && !q->paused)
			empty++;
		else
			print_queue(q, out);
	}
	for (int i = 0; i < PLAN_SETS; i++) {
		add(&sum, &p->sets[i]);
		row(out, plan_set_name((enum plan_set)i), &p->sets[i], "");
	}
	row(out, "jobs", &sum, "");
	for (size_t i = 0; i < p->ncounters; i++)
		if (strchr(p->counters[i].name, ':') == NULL)
			fprintf(out, "%-*s %12" PRId64 "\n", NAME_WIDTH,
			    p->counters[i].name, p->counters[i].value);
	if (empty > 0)
		fprintf(out, "and %zu queue%s without a job\n", empty,
		    empty == 1 ? "" : "s");
	print_left(p, out);
}
