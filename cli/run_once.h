/*
 * run_once - the verb that runs one job's program without any server.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_RUN_ONCE_H
#define CLI_RUN_ONCE_H

/* argv[0] is "run-once". Returns the exit status. */
int run_once_main(int argc, char **argv);

#endif
