/*
 * msg - the verb by which a handler says something to its supervisor.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_MSG_H
#define CLI_MSG_H

/* argv[0] is "msg". Returns the exit status. */
int msg_main(int argc, char **argv);

#endif
