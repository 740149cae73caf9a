/*
 * status - the verb that shows a supervisor and its jobs, once.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

/* Returns the exit status. */
int status_main(int argc, char **argv);

#endif
