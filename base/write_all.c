/*
 * write_all - every byte into a blocking descriptor.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/write_all.h"

#include <errno.h>
#include <unistd.h>

int
write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
