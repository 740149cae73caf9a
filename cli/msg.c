/*
 * msg - the verb by which a handler says something to its supervisor.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/msg_line.h"

#define VARIABLE "FAKTORY_CONTROL_FD"

static const char usage[] =
    "usage: faktotum msg progress [PERCENT] [TEXT]\n"
    "       faktotum msg heartbeat\n"
    "       faktotum msg extend DURATION\n"
    "       faktotum msg log LEVEL TEXT [KEY=VALUE...]\n"
    "       faktotum msg result JSON\n"
    "       faktotum msg error ERRTYPE MESSAGE [--retry WHEN]\n"
    "       faktotum msg push JSON\n"
    "       faktotum msg metric NAME VALUE\n"
    "\n"
    "For handlers: writes one message to the supervisor, on the descriptor\n"
    "that FAKTORY_CONTROL_FD names. What each one does stands in\n"
    "faktotum-handlers(7), \"Messages\".\n"
    "\n"
    "  PERCENT        0 to 100\n"
    "  DURATION       60s, 5min; a number alone is seconds\n"
    "  LEVEL          error, warning, info or debug\n"
    "  KEY=VALUE      a field of the line in the log, at most 16\n"
    "  --retry WHEN   no: never again; discard: nor is the job kept; or a\n"
    "                 DURATION: not before that\n"
    "  -h, --help     print this\n"
    "\n"
    "exit status: 0 written; 64 wrong usage; 69 there is no supervisor to\n"
    "tell\n";

/* The descriptor, or -1 with *e set. */
static int
find_descriptor(struct err *e)
{
	const char *text = getenv(VARIABLE);
	int64_t fd;

	if (text == NULL || *text == '\0')
		return err_set(e, EBADF,
		    VARIABLE " is not set: no supervisor started this, or "
			     "its job has control: off");
	if (args_int(text, 0, INT32_MAX, &fd, e) < 0)
		return err_wrap(e, VARIABLE);
	int flags = fcntl((int)fd, F_GETFL);
	if (flags < 0)
		return err_set(e, EBADF, "descriptor %s is not open", text);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return err_set(
		    e, EBADF, "descriptor %s cannot be written to", text);
	return (int)fd;
}

/* Whoever shares the pipe may have made it non-blocking. */
static int
push_out(int fd, const char *bytes, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			(void)poll(&p, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return err_set(
			    e, errno, "descriptor %d: %s", fd, strerror(errno));
		}
	}
	return 0;
}

static int
complain(const char *text, int status)
{
	fprintf(stderr, "faktotum msg: %s\n", text);
	if (status == EX_USAGE)
		fputs("faktotum msg --help tells more\n", stderr);
	return status;
}

int
msg_main(int argc, char **argv)
{
	struct buf *line = buf_new(MSG_LINE_MAX);
	struct err e = { .text = "out of memory" };
	int status = EX_OK;

	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
	} else if (line == NULL ||
	    msg_line_put(line, argv + 1, (size_t)argc - 1, &e) < 0) {
		status = complain(e.text, EX_USAGE);
	} else {
		int fd = find_descriptor(&e);

		if (fd < 0 ||
		    push_out(fd, buf_front(line), buf_len(line), &e) < 0)
			status = complain(e.text, EX_UNAVAILABLE);
	}
	buf_free(line);
	return status;
}
