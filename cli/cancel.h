/*
 * cancel - the verb that ends jobs.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_CANCEL_H
#define CLI_CANCEL_H

/* Returns the exit status. */
int cancel_main(int argc, char **argv);

#endif
