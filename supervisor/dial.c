/*
 * dial - socket(2), its options, connect(2).
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static void
tune(int fd)
{
	int on = 1, idle = 30, interval = 10, probes = 3;
	unsigned patience = DIAL_USER_TIMEOUT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	setsockopt(
	    fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
}

int
dial_start(const struct addrinfo *address)
{
	int fd = socket(
	    address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	tune(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
	    errno == EINPROGRESS)
		return fd;

	int error = errno;
	close(fd);
	return -error;
}

int
dial_result(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}
