/*
 * top - the verb that shows a supervisor and its jobs, again and again.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/top.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/args.h"
#include "cli/call_options.h"
#include "cli/snapshot.h"

enum { OUT_MAX = 64 * 1024 * 1024, FLAG_ONCE = 1 };

static const int64_t every_least = 100 * CLOCK_NS_PER_MS;

static const char usage[] =
    "Usage: faktotum top [--once] [--every TIME] [--socket PATH | -c FILE]\n"
    "Show the supervisor that runs on this host, and its jobs, until Ctrl-C.\n"
    "\n"
    "      --once         show it once; on a terminal, without clearing it\n"
    "      --every TIME   how often, as 500ms or 5s; default: "
    "1s\n" CALL_OPTIONS_HELP "\n"
    "On a terminal the table is redrawn, and cut to its size; elsewhere one\n"
    "follows the other, with an empty line between. The columns are those of\n"
    "faktotum status.\n"
    "\n"
    "Exit status: 0 shown once,\n" CALL_STATUS_HELP;

/* Redraws in place: each line clears what was behind it, then the rest. */
static void
redraw(const char *bytes, size_t len)
{
	fputs("\033[H", stdout);
	while (len > 0) {
		const char *lf = memchr(bytes, '\n', len);
		size_t n = lf != NULL ? (size_t)(lf - bytes) : len;

		fwrite(bytes, 1, n, stdout);
		fputs("\033[K\n", stdout);
		n += lf != NULL;
		bytes += n;
		len -= n;
	}
	fputs("\033[J", stdout);
}

static int
draw(const struct snapshot *s, bool terminal, bool once)
{
	struct buf *out = buf_new(OUT_MAX);
	struct winsize size = { 0 };
	size_t rows = 0;

	if (terminal)
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	/* The last row stays free: a line end there would scroll. */
	if (!once && size.ws_row > 1)
		rows = (size_t)size.ws_row - 1;
	if (out == NULL || snapshot_put_table(s, out, size.ws_col, rows) < 0) {
		fputs("faktotum top: out of memory\n", stderr);
		buf_free(out);
		return EX_OSERR;
	}
	if (terminal && !once)
		redraw(buf_front(out), buf_len(out));
	else
		fwrite(buf_front(out), 1, buf_len(out), stdout);
	buf_free(out);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static void
rest(int64_t ns)
{
	struct timespec t = { .tv_sec = ns / CLOCK_NS_PER_S,
		.tv_nsec = ns % CLOCK_NS_PER_S };

	while (nanosleep(&t, &t) < 0)
		;
}

static int
repeat(const struct call_options *o, int64_t every, bool once)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (bool first = true;; first = false) {
		struct snapshot s;
		int status = snapshot_take(o, &s);

		if (status == EX_OK && !first && !terminal)
			putc('\n', stdout);
		if (status == EX_OK && first && terminal && !once)
			fputs("\033[2J", stdout);
		if (status == EX_OK)
			status = draw(&s, terminal, once);
		snapshot_clear(&s);
		if (status != EX_OK || once)
			return status;
		rest(every);
	}
}

int
top_main(int argc, char **argv)
{
	struct call_options o = { .verb = "top",
		.usage = usage,
		.flags = { "once" },
		.valued = "every" };
	int64_t every = CLOCK_NS_PER_S;
	struct err e;
	int status = call_options_read(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.nwords > 0)
		return call_options_misuse(&o, "there are words too many");
	if (o.value != NULL && args_duration(o.value, &every, &e) < 0)
		return call_options_misuse(&o, e.text);
	if (every < every_least)
		return call_options_misuse(&o, "--every is less than 100ms");
	return repeat(&o, every, o.given & FLAG_ONCE);
}
