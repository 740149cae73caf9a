/*
 * err - one failure, told to a person.
 *
 * The message lives in the struct: reporting a failure never allocates and
 * never has to be freed. The deepest function states what went wrong; each
 * caller that knows something useful puts it in front.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <errno.h>

struct err {
	int code; /* errno-style, positive; 0 when unset */
	char text[512];
};

/*
 * err_set() states a failure; err_wrap() puts "prefix: " in front of the one
 * already there. Text that does not fit is cut at the end. Both return -code,
 * so that a failing function can end with one line. Accept e == NULL, for
 * callers that only want to know whether; then err_set() returns -code and
 * err_wrap() returns -EINVAL.
 */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
