/*
 * drain - the verb that ends a supervisor after its last job.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_DRAIN_H
#define CLI_DRAIN_H

/* Returns the exit status. */
int drain_main(int argc, char **argv);

#endif
