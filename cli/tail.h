/*
 * tail - the verb that shows what programs print, as they print it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_TAIL_H
#define CLI_TAIL_H

/* Returns the exit status. */
int tail_main(int argc, char **argv);

#endif
