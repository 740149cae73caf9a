/*
 * escape - leave the process group and hold the output open, for SECONDS.
 *
 * A daemon in the making: the grandchild is in a session of its own, so that
 * no kill of the handler's group reaches it. The leader exits with 0 at once.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 60;
	pid_t pid = fork();

	if (pid < 0)
		return 1;
	if (pid > 0)
		return 0;
	if (setsid() < 0 || fork() != 0)
		_exit(0);
	printf("%ld\n", (long)getpid());
	fflush(stdout);
	sleep(seconds);
	return 0;
}
