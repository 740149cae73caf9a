/*
 * call - connect(2), one line out, many in.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log_line.h"

enum {
	READ_SIZE = 64 * 1024,
	LINE_BYTES_MAX = 1024 * 1024,
	EMPTY_MAX = 3, /* calls in a row that heard nothing */
	GOES_ON = -1,
	ENDED = -2, /* without a last line */
};

static int
dial(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	if (connect(
		fd, (const struct sockaddr *)(const void *)&sa, sizeof sa) == 0)
		return fd;
	int failed = errno;
	close(fd);
	return -failed;
}

static const char *
reason(int failed)
{
	if (failed == ENOENT)
		return "there is no such socket";
	if (failed == ECONNREFUSED)
		return "its supervisor has ended";
	return strerror(failed);
}

/* The first place that answers; else the exit status, negative. */
static int
find(const struct call_options *o)
{
	int failed[CALL_PLACES_MAX] = { 0 };
	bool forbidden = false;

	for (size_t i = 0; i < o->nplaces; i++) {
		int fd = dial(o->places[i]);

		if (fd >= 0)
			return fd;
		failed[i] = -fd;
		forbidden = forbidden || failed[i] == EACCES;
	}
	fprintf(stderr, "faktotum %s: no supervisor answers at ", o->verb);
	for (size_t i = 0; i < o->nplaces; i++)
		fprintf(stderr, "%s%s (%s)", i > 0 ? ", nor at " : "",
		    o->places[i], reason(failed[i]));
	fputs("\n", stderr);
	return forbidden ? -EX_NOPERM : -EX_UNAVAILABLE;
}

static void
send_request(int fd, const char *request)
{
	struct buf *line = buf_new(READ_SIZE);

	/* A supervisor that refuses has closed already; its words are there. */
	if (line != NULL && buf_puts(line, request) == 0 &&
	    buf_putc(line, '\n') == 0)
		while (buf_len(line) > 0) {
			ssize_t n = send(
			    fd, buf_front(line), buf_len(line), MSG_NOSIGNAL);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			buf_drop(line, (size_t)n);
		}
	buf_free(line);
}

static int
tell(const struct call *c, const char *text)
{
	fprintf(stderr, "faktotum %s: %s\n", c->options->verb, text);
	return EX_UNAVAILABLE;
}

static int
refused(const struct call *c, const struct json *object)
{
	const struct json code = json_get(object, "code");
	struct buf *text = buf_new(READ_SIZE);

	if (text != NULL && call_put_text(text, object, "error") == 0)
		fprintf(stderr, "faktotum %s: %.*s\n", c->options->verb,
		    (int)buf_len(text), buf_front(text));
	buf_free(text);
	if (json_string_is(&code, "denied", 6))
		return EX_NOPERM;
	return json_string_is(&code, "busy", 4) ? EX_TEMPFAIL : 1;
}

/* GOES_ON, or the exit status. */
static int
take_line(struct call *c, const char *line, size_t len)
{
	struct json object;

	if (json_check(line, len, &object, NULL) < 0 ||
	    object.kind != JSON_OBJECT) {
		(void)tell(c, "the answer is none of a supervisor");
		return EX_PROTOCOL;
	}
	if (json_get(&object, "error").kind == JSON_STRING)
		return refused(c, &object);
	int r = c->line != NULL ? c->line(c->ctx, &object) : 0;
	if (r != 0)
		return r;
	return json_get(&object, "done").kind == JSON_TRUE ? EX_OK : GOES_ON;
}

/* GOES_ON, ENDED, or the exit status. */
static int
read_some(struct call *c, int fd, struct buf *in)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t room;

	int r = poll(&ready, 1, c->patient ? -1 : CALL_PATIENCE * 1000);
	if (r < 0 && errno == EINTR)
		return GOES_ON;
	if (r == 0)
		return tell(c, "the supervisor does not answer");
	char *to = buf_room(in, READ_SIZE, &room);
	if (to == NULL)
		return tell(c, "a line of the answer is too long");
	ssize_t n = recv(fd, to, room, 0);
	if (n <= 0)
		return n < 0 && errno == EINTR ? GOES_ON : ENDED;
	buf_filled(in, (size_t)n);

	const char *lf;
	while ((lf = memchr(buf_front(in), '\n', buf_len(in))) != NULL) {
		size_t len = (size_t)(lf - buf_front(in));

		r = take_line(c, buf_front(in), len);
		if (r != GOES_ON)
			return r;
		buf_drop(in, len + 1);
	}
	return GOES_ON;
}

/* One conversation: ENDED, or the exit status. */
static int
talk(struct call *c, bool *heard)
{
	int fd = find(c->options), r = GOES_ON;

	*heard = false;
	if (fd < 0)
		return -fd;
	struct buf *in = buf_new(LINE_BYTES_MAX);
	if (in == NULL)
		r = tell(c, "out of memory");
	else
		send_request(fd, c->request);
	while (r == GOES_ON) {
		r = read_some(c, fd, in);
		*heard = *heard || r != ENDED;
	}
	buf_free(in);
	close(fd);
	return r;
}

int
call_make(struct call *c)
{
	int empty = 0, r;
	bool heard;

	do {
		r = talk(c, &heard);
		empty = heard ? 0 : empty + 1;
	} while (r == ENDED && c->again && empty < EMPTY_MAX);
	return r == ENDED ? tell(c, "the supervisor has ended") : r;
}

int
call_order(struct call_options *o, const char *request, call_line *line,
    int argc, char **argv)
{
	struct call c = { .options = o, .request = request, .line = line };
	int status = call_options_read(o, argc, argv);

	if (status >= 0)
		return status;
	if (o->nwords > 0)
		return call_options_misuse(o, "there are words too many");
	return call_make(&c);
}

int
call_put_request(struct buf *out, const char *verb, const char *jid)
{
	int r = buf_printf(out, "{\"request\":\"%s\"", verb);

	if (r == 0 && jid != NULL)
		r = buf_puts(out, ",\"jid\":");
	if (r == 0 && jid != NULL)
		r = json_put_string(out, jid, strlen(jid));
	return r < 0 ? r : buf_append(out, "}", 2); /* with its NUL */
}

double
call_number(const struct json *object, const char *name)
{
	const struct json value = json_get(object, name);
	double number = -1;

	if (value.kind == JSON_NUMBER)
		(void)json_double(&value, &number);
	return number;
}

int
call_put_text(struct buf *out, const struct json *object, const char *name)
{
	const struct json value = json_get(object, name);

	if (value.kind != JSON_STRING)
		return 0;
	char *text = malloc(value.len);
	if (text == NULL)
		return -ENOMEM;
	ssize_t n = json_decode_string(&value, text, value.len);
	int r = n < 0 ? 0 : log_line_escape(out, text, (size_t)n);
	free(text);
	return r;
}
