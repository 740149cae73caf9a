/*
 * dev - the verb that runs server and supervisor together, with no setup.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_DEV_H
#define CLI_DEV_H

/* argv[0] is "dev". Returns the exit status, one of sysexits.h. */
int dev_main(int argc, char **argv);

#endif
