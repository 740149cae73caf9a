/*
 * job - the verb that ends jobs, asks for results and moves jobs between sets.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

/* Returns the exit status. */
int job_main(int argc, char **argv);

#endif
