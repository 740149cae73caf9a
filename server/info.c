/*
 * info - names and nesting are those of a Faktory server: clients read them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/info.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "server/parts.h"

/* Resident size in MB, from statm(5) in proc. 0 when it cannot be read. */
static long
resident_mb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

static int
put_queues(struct buf *out, const struct server *s)
{
	const char *comma = "";
	size_t cursor = 0;
	struct queue *q;

	while ((q = queues_next(s->queues, &cursor)) != NULL) {
		if (!q->known)
			continue;
		if (buf_puts(out, comma) < 0 ||
		    json_put_string(out, q->name, q->name_len) < 0 ||
		    buf_printf(out, ":%zu", q->count) < 0)
			return -ENOMEM;
		comma = ",";
	}
	return 0;
}

static int
put_task(struct buf *out, const struct server *s, const char *name,
    enum jobs_set set)
{
	const struct jobs_task *t = jobs_task(s->jobs, set);

	return buf_printf(out,
	    "\"%s\":{\"cycles\":%" PRIu64 ",\"enqueued\":%" PRIu64
	    ",\"size\":%zu,\"wall_time_sec\":%.9f},",
	    name, t->cycles, t->moved, jobs_in_set(s->jobs, set), t->seconds);
}

static int
put_faktory(struct buf *out, const struct server *s)
{
	if (buf_puts(out, "\"faktory\":{\"queues\":{") < 0 ||
	    put_queues(out, s) < 0 ||
	    buf_printf(out,
		"},\"sets\":{\"dead\":%zu,\"retries\":%zu,\"scheduled\":%zu,"
		"\"working\":%zu},\"tasks\":{\"Busy\":{\"reaped\":%" PRIu64
		",\"size\":%zu},",
		jobs_in_set(s->jobs, SET_DEAD),
		jobs_in_set(s->jobs, SET_RETRIES),
		jobs_in_set(s->jobs, SET_SCHEDULED), jobs_reserved(s->jobs),
		jobs_reaped(s->jobs), jobs_reserved(s->jobs)) < 0 ||
	    put_task(out, s, "Dead", SET_DEAD) < 0 ||
	    put_task(out, s, "Retries", SET_RETRIES) < 0 ||
	    put_task(out, s, "Scheduled", SET_SCHEDULED) < 0)
		return -ENOMEM;
	return buf_printf(out,
	    "\"Workers\":{\"reaped\":%" PRIu64 ",\"size\":%zu}},"
	    "\"total_failures\":%" PRId64 ",\"total_processed\":%" PRId64
	    ",\"total_enqueued\":%zu,\"total_queues\":%zu},",
	    workers_reaped(s->workers), workers_count(s->workers),
	    counters_total(s->counters, COUNT_FAILURES),
	    counters_total(s->counters, COUNT_PROCESSED),
	    queues_jobs(s->queues), queues_known(s->queues));
}

int
info_put(struct buf *out, const struct server *s)
{
	char now[TIMESTAMP_MAX];
	int64_t wall = clock_wall();

	timestamp_format(wall, now);
	if (buf_printf(out, "{\"now\":\"%s\",\"server_utc_time\":\"%.8s UTC\",",
		now, now + strlen("2026-11-23T")) < 0 ||
	    put_faktory(out, s) < 0)
		return -ENOMEM;
	return buf_printf(out,
	    "\"server\":{\"description\":\"Faktotum\",\"faktory_version\":"
	    "\"1.10.0\",\"faktotum_version\":\"%s\",\"uptime\":%" PRId64
	    ",\"connections\":%zu,\"command_count\":%" PRIu64
	    ",\"used_memory_mb\":%ld}}",
	    FAKTOTUM_VERSION, (wall - s->started) / CLOCK_NS_PER_S, s->nconns,
	    s->commands, resident_mb());
}
