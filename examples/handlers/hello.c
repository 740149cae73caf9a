/*
 * hello - greets its first argument: cc -o hello hello.c
 *
 * `input: raw` gives the bytes of the first argument, so that no JSON has to
 * be read.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <sysexits.h>

int
main(void)
{
	char name[256];
	size_t len = fread(name, 1, sizeof name, stdin);

	if (len == 0 || len == sizeof name) {
		fprintf(stderr, "a name of 1 to 255 bytes is expected\n");
		return EX_DATAERR; /* 65: no retry will mend it */
	}
	printf("hello, %.*s\n", (int)len, name);
	return fflush(stdout) == 0 ? EX_OK : EX_TEMPFAIL;
}
