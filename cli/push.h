/*
 * push - the verb that gives jobs to the server: one from words, or many from
 * standard input.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_PUSH_H
#define CLI_PUSH_H

/* argv[0] is "push". Returns the exit status, one of sysexits.h. */
int push_main(int argc, char **argv);

#endif
