/*
 * journald_socket - the way into the system's journal, as it is just now.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journald_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int
journald_socket_init(struct journald_socket *s, const char *path)
{
	size_t len = strlen(path);

	s->fd = -1;
	s->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof s->address.sun_path)
		return -ENAMETOOLONG;
	memcpy(s->address.sun_path, path, len);
	return 0;
}

void
journald_socket_close(struct journald_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* Connected, so that poll(2) tells when the other side has room. */
static int
open_socket(struct journald_socket *s)
{
	if (s->fd >= 0)
		return 0;
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd >= 0 &&
	    connect(s->fd, (const struct sockaddr *)&s->address,
		sizeof s->address) == 0)
		return 0;
	journald_socket_close(s);
	return -EAGAIN;
}

/* Returns a sealed memfd with these bytes, or a negative errno. */
static int
make_memfd(const char *bytes, size_t len)
{
	int fd =
	    memfd_create("faktotum-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		bytes += n;
		len -= (size_t)n;
	}
	if (len == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
	int e = errno != 0 ? errno : EIO;
	close(fd);
	return -e;
}

/* A datagram without bytes, and the descriptor beside it. */
static ssize_t
send_descriptor(int to, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr m = {
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(to, &m, MSG_NOSIGNAL);
}

/* One attempt: 0 or a negative errno. memfd: -1 until it is needed. */
static int
try(const struct journald_socket *s, const char *bytes, size_t len, int *memfd)
{
	if (*memfd < 0) {
		if (send(s->fd, bytes, len, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EMSGSIZE && errno != ENOBUFS)
			return -errno;
		*memfd = make_memfd(bytes, len);
		if (*memfd < 0)
			return *memfd;
	}
	return send_descriptor(s->fd, *memfd) >= 0 ? 0 : -errno;
}

/* Whether an error says that the other side is not there. */
static bool
is_gone(int e)
{
	return e == -ECONNREFUSED || e == -ECONNRESET || e == -ENOTCONN ||
	    e == -EPIPE || e == -ENOENT;
}

int
journald_socket_send(
    struct journald_socket *s, const char *bytes, size_t len, int patience)
{
	int memfd = -1, r;

	for (int attempt = 0;; attempt++) {
		r = open_socket(s);
		if (r < 0)
			break;
		r = try(s, bytes, len, &memfd);
		if (r == -EINTR)
			continue;
		if (is_gone(r)) {
			journald_socket_close(s);
			r = -EAGAIN;
		}
		if (r != -EAGAIN || attempt > 0)
			break;
		if (s->fd < 0)
			continue; /* restarted: a new one may listen */
		struct pollfd p = { .fd = s->fd, .events = POLLOUT };
		if (poll(&p, 1, patience) <= 0)
			break;
	}
	if (memfd >= 0)
		close(memfd);
	/* What was refused may have been refused by a dying one. */
	if (r < 0 && r != -EAGAIN)
		journald_socket_close(s);
	return r;
}
