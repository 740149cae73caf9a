/*
 * check - the verb that reads a configuration and tells what is wrong.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

/*
 * argv[0] is "check". Mistakes and warnings go to standard error, one a line.
 * Returns the exit status: 0, 64 (usage), 66 (the file cannot be read), 78
 * (it has mistakes).
 */
int check_main(int argc, char **argv);

#endif
