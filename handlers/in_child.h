/*
 * in_child - what functions that run between clone and exec are marked with.
 *
 * They run in memory that they share with the parent (see handlers/spawn):
 * they make raw system calls, allocate nothing, and must leave no trace in a
 * sanitizer's books, which the child never returns to balance.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_IN_CHILD_H
#define HANDLERS_IN_CHILD_H

#define IN_CHILD                                                               \
	__attribute__((no_sanitize("address"), no_sanitize("thread"),          \
	    no_sanitize("undefined")))

#endif
