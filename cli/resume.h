/*
 * resume - the verb that lets jobs be fetched again.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_RESUME_H
#define CLI_RESUME_H

/* Returns the exit status. */
int resume_main(int argc, char **argv);

#endif
