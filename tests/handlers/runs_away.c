/*
 * runs_away - a process that is never where it was seen.
 *
 * Every few moments it forks, and goes on in the child, in a session of its
 * own, while the parent exits. It ends by itself after SECONDS, so that a test
 * that fails leaves nothing behind. It writes its last number into FILE.
 *
 * SPDX-License-Identifier: ISC
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void
note(const char *path)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		return;
	(void)!write(fd, text, (size_t)n);
	close(fd);
}

int
main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 20);
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	while (time(NULL) < end) {
		(void)setsid();
		pid = fork();
		if (pid != 0)
			_exit(0);
		if (argc > 2)
			note(argv[2]);
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
	}
	return 0;
}
