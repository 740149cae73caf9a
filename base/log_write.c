/*
 * log_write - lines to standard error, without ever waiting for its reader.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/log_write.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long losses, total;
static bool torn;      /* the last line on standard error has no end */
static bool no_socket; /* it said so, and has taken all since then */

/*
 * What is writable has room for PIPE_BUF bytes, be it a pipe or a socket;
 * another program that writes to the same pipe in between could make us wait
 * for its reader after all, which is theirs to answer for.
 */
static ssize_t
write_when_writable(const char *bytes, size_t len)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDERR_FILENO, bytes, len < PIPE_BUF ? len : PIPE_BUF);
}

/*
 * One write that does not wait. Either way is right for every kind of
 * descriptor that dup2(2) may put in the place of this one; only a socket is
 * served better by send(2), so it is tried again after a failure.
 */
static ssize_t
write_some(const char *bytes, size_t len)
{
	if (!no_socket) {
		ssize_t n = send(
		    STDERR_FILENO, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		no_socket = n < 0 && errno == ENOTSOCK;
		if (!no_socket)
			return n;
	}
	ssize_t n = write_when_writable(bytes, len);
	no_socket = n >= 0;
	return n;
}

/* Returns how many bytes went out. */
static size_t
write_all(const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write_some(bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void
log_write(const char *lines, size_t len, unsigned long told)
{
	pthread_mutex_lock(&lock);
	if (torn && write_all("\n", 1) == 1)
		torn = false;
	size_t done = torn ? 0 : write_all(lines, len);
	if (done == len) {
		losses -= told < losses ? told : losses;
	} else {
		losses++;
		total++;
		torn = torn || done > 0;
	}
	pthread_mutex_unlock(&lock);
}

void
log_write_lost(unsigned long n)
{
	pthread_mutex_lock(&lock);
	losses += n;
	total += n;
	pthread_mutex_unlock(&lock);
}

unsigned long
log_write_total(void)
{
	pthread_mutex_lock(&lock);
	unsigned long n = total;
	pthread_mutex_unlock(&lock);
	return n;
}

void
log_write_put_losses(unsigned long n)
{
	pthread_mutex_lock(&lock);
	losses += n;
	pthread_mutex_unlock(&lock);
}

unsigned long
log_write_take_losses(void)
{
	pthread_mutex_lock(&lock);
	unsigned long n = losses;
	losses = 0;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned long
log_write_losses(void)
{
	pthread_mutex_lock(&lock);
	unsigned long n = losses;
	pthread_mutex_unlock(&lock);
	return n;
}
