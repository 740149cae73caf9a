/*
 * progress - a line on a terminal that tells how far a long task is.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR_CELLS = 30 };

void
progress_begin(struct progress *p, int64_t total)
{
	p->shown = isatty(STDERR_FILENO) == 1;
	p->total = total;
	p->began = clock_mono();
	p->drawn = p->began;
}

static void
draw_bar(int64_t bytes, int64_t total)
{
	char cells[BAR_CELLS + 1];
	double part = (double)bytes / (double)total;

	/* A file may grow while it is read. */
	if (part > 1)
		part = 1;
	size_t full = (size_t)(part * BAR_CELLS);
	memset(cells, '.', BAR_CELLS);
	memset(cells, '#', full);
	cells[BAR_CELLS] = '\0';
	fprintf(stderr, "[%s] %3.0f%%  ", cells, part * 100);
}

void
progress_at(struct progress *p, int64_t jobs, int64_t bytes)
{
	int64_t now = clock_mono();

	if (!p->shown || now - p->drawn < 100 * CLOCK_NS_PER_MS)
		return;
	p->drawn = now;
	double seconds = (double)(now - p->began) / (double)CLOCK_NS_PER_S;
	fputs("\r\x1b[K", stderr);
	if (p->total > 0)
		draw_bar(bytes, p->total);
	fprintf(
	    stderr, "%" PRId64 " jobs, %.0f/s", jobs, (double)jobs / seconds);
	fflush(stderr);
}

void
progress_clear(const struct progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", stderr);
}
