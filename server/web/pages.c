/*
 * pages - a path is a row: its name, who makes it, and for whom it is.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/web/pages.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "server/info.h"
#include "server/metrics.h"
#include "server/parts.h"

/* Fills p->body. Returns as buf_append(). */
typedef int page_fn(const struct server *s, struct page *p);

static int
put_reason(struct page *p, const char *reason)
{
	if (reason == NULL)
		return 0;
	p->status = 503;
	if (buf_puts(p->body, "\"reason\":") < 0 ||
	    json_put_string(p->body, reason, strlen(reason)) < 0)
		return -ENOMEM;
	return buf_putc(p->body, ',');
}

/* Those members that a Faktory server has, and the reason of a 503. */
static int
health(const struct server *s, struct page *p)
{
	char now[TIMESTAMP_MAX], text[HEALTH_REASON_MAX];
	const char *reason =
	    s->stopping ? "shutting down" : health_trouble(s->health, text);

	p->type = "application/json";
	timestamp_format(clock_wall(), now);
	if (buf_printf(p->body, "{\"now\":\"%s\",", now) < 0 ||
	    put_reason(p, reason) < 0)
		return -ENOMEM;
	return buf_printf(p->body,
	    "\"server\":{\"command_count\":%" PRIu64 ",\"connections\":%zu,"
	    "\"description\":\"Faktotum\",\"faktory_version\":\"1.10.0\"}}\n",
	    s->commands, s->nconns);
}

static int
stats(const struct server *s, struct page *p)
{
	p->type = "application/json";
	return info_put(p->body, s) < 0 ? -ENOMEM : buf_putc(p->body, '\n');
}

static int
metrics(const struct server *s, struct page *p)
{
	p->type = "text/plain; version=0.0.4; charset=utf-8";
	return metrics_put(p->body, s);
}

static int
front(const struct server *s, struct page *p)
{
	(void)s;
	return buf_puts(p->body,
	    "faktotum-server " FAKTOTUM_VERSION "\n\n"
	    "/health   200 while what is written reaches the disk\n"
	    "/stats    counts and sizes as JSON\n"
	    "/metrics  the same and more for Prometheus\n");
}

static const struct row {
	const char *path;
	page_fn *make;
	bool public;
} rows[] = {
	{ "/", front, false },
	{ "/health", health, true },
	{ "/metrics", metrics, false },
	{ "/stats", stats, false },
};

static const struct row *
find(const char *path)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

bool
page_is_public(const char *path)
{
	const struct row *row = find(path);

	return row != NULL && row->public;
}

void
page_say(struct page *p, unsigned status, const char *text)
{
	p->status = status;
	p->type = "text/plain; charset=utf-8";
	buf_clear(p->body);
	(void)buf_puts(p->body, text);
	(void)buf_putc(p->body, '\n');
}

void
page_make(const struct server *s, const char *path, struct page *p)
{
	const struct row *row = find(path);

	if (row == NULL) {
		page_say(p, 404, "there is no such page");
		return;
	}
	p->status = 200;
	p->type = "text/plain; charset=utf-8";
	if (row->make(s, p) < 0)
		page_say(p, 503, "the answer takes too much memory");
}
