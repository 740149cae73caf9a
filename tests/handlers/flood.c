/*
 * flood - write MEGABYTES of 'x' to stdout without a single line end.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	enum { CHUNK = 64 * 1024 };
	static char chunk[CHUNK];
	size_t left = (argc > 1 ? (size_t)atoi(argv[1]) : 1) << 20;

	memset(chunk, 'x', sizeof chunk);
	while (left > 0) {
		size_t want = left < CHUNK ? left : CHUNK;
		ssize_t n = write(STDOUT_FILENO, chunk, want);
		if (n <= 0)
			return 1;
		left -= (size_t)n;
	}
	return 0;
}
