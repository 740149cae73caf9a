/*
 * notices - a socket a datagram, and a short queue for those that must arrive.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/notices.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notices {
	struct sockaddr_un to;
	socklen_t to_len; /* 0: nobody listens */
	char waiting[NOTICES_MAX][NOTICES_TEXT_MAX];
	size_t nwaiting;
};

struct notices *
notices_new(void)
{
	struct notices *n = calloc(1, sizeof *n);
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	if (n == NULL)
		return NULL;
	if (len < 2 || len >= sizeof n->to.sun_path ||
	    (path[0] != '/' && path[0] != '@'))
		return n;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0';
	else
		n->to_len++;
	return n;
}

void
notices_free(struct notices *n)
{
	free(n);
}

bool
notices_wanted(const struct notices *n)
{
	return n->to_len > 0;
}

/*
 * Returns false when it should be tried again. A new socket for each: the
 * manager may have made its own anew.
 */
static bool
sent(const struct notices *n, const char *text)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t r;

	if (fd < 0)
		return errno != EMFILE && errno != ENFILE && errno != ENOMEM;
	do
		r = sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)(const void *)&n->to, n->to_len);
	while (r < 0 && errno == EINTR);
	bool later =
	    r < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM);
	close(fd);
	return !later;
}

static void
forget_oldest(struct notices *n)
{
	n->nwaiting--;
	memmove(
	    n->waiting[0], n->waiting[1], n->nwaiting * sizeof n->waiting[0]);
}

bool
notices_flush(struct notices *n)
{
	while (n->nwaiting > 0 && sent(n, n->waiting[0]))
		forget_oldest(n);
	return n->nwaiting > 0;
}

void
notices_say(struct notices *n, const char *fmt, ...)
{
	va_list args;

	if (n->to_len == 0)
		return;
	if (n->nwaiting == NOTICES_MAX)
		forget_oldest(n);
	va_start(args, fmt);
	vsnprintf(n->waiting[n->nwaiting++], NOTICES_TEXT_MAX, fmt, args);
	va_end(args);
	(void)notices_flush(n);
}

void
notices_hint(struct notices *n, const char *fmt, ...)
{
	char text[NOTICES_TEXT_MAX];
	va_list args;

	if (n->to_len == 0 || notices_flush(n))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	(void)sent(n, text);
}
