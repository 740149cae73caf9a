/*
 * run - `faktotum run`: fetch jobs and run their programs until told to stop.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

/* argv[0] is "run". Returns the exit status. */
int run_main(int argc, char **argv);

#endif
