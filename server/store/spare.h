/*
 * spare - what the data's file system takes beside what is kept back (space.h),
 * told by the store's thread to the loop, which asks by store.h.
 *
 * There is one store that writes in a process. The figure is as old as the
 * thread's last look, so whoever adds to what is stored has to remember what it
 * has added since: commits are counted, and a look says up to which it has
 * seen.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_SPARE_H
#define SERVER_STORE_SPARE_H

#include <stdint.h>

/* As at the start: nothing is known, and nothing was committed. */
void spare_reset(void);

/* Something is about to be committed. */
void spare_commit(void);

/* There is room for so many bytes, below 0 when some of what is kept back is
 * gone, INT64_MAX when nobody knows; all commits so far are in it. */
void spare_tell(int64_t bytes);

#endif
