/*
 * top - the verb that shows a supervisor and its jobs, again and again.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_TOP_H
#define CLI_TOP_H

/* Returns the exit status. */
int top_main(int argc, char **argv);

#endif
