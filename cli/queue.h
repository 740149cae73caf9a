/*
 * queue - the verb that pauses, resumes, removes and looks at queues.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_QUEUE_H
#define CLI_QUEUE_H

/* Returns the exit status. */
int queue_main(int argc, char **argv);

#endif
