/*
 * quiet - the verb that lets no more jobs be fetched.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_QUIET_H
#define CLI_QUIET_H

/* Returns the exit status. */
int quiet_main(int argc, char **argv);

#endif
