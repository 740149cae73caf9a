/*
 * exit_status - the exit status of what went wrong with a data directory.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_EXIT_STATUS_H
#define SERVER_EXIT_STATUS_H

/*
 * For an errno of the store or of the directory: EX_CANTCREAT when it can not
 * be made or opened, EX_OSERR without memory, else EX_IOERR. docs/store.md says
 * it to operators; what else a program knows of an errno it asks before.
 */
int exit_status_of_store(int code);

#endif
