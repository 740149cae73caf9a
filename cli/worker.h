/*
 * worker - the verb that tells a server's workers to stop fetching, or to end.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_WORKER_H
#define CLI_WORKER_H

/* Returns the exit status. */
int worker_main(int argc, char **argv);

#endif
