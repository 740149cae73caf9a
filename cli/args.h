/*
 * args - words of a command line, read as the parts of a job.
 *
 * A word is a JSON value when it is a JSON number, true, false, null, an
 * object or an array; every other word is a string, quotes included. So
 * `push resize 42 photo.jpg '{"w": 640}'` gives [42,"photo.jpg",{"w":640}].
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Append one word as a JSON value, or several as an array. strings: every
 * word is a string. Return 0, -EINVAL for a word that is not UTF-8, or as
 * buf_append(), with *e set; out is then of no use.
 */
int
args_put_word(struct buf *out, const char *word, bool strings, struct err *e);
int args_put_list(
    struct buf *out, char *const *words, size_t n, bool strings, struct err *e);

/*
 * Appends an array given as JSON, without insignificant white space.
 * Returns as args_put_word(); -EINVAL when it is anything else.
 */
int args_put_array(struct buf *out, const char *json, struct err *e);

/*
 * Appends an object from words of the form KEY=VALUE, the value read as a
 * word is. Returns as args_put_word(); -EINVAL for another form, an empty key
 * or a key given twice.
 */
int args_put_pairs(
    struct buf *out, char *const *pairs, size_t n, bool strings, struct err *e);

/* A whole number within min and max. Returns 0, or -EINVAL with *e set. */
int args_int(
    const char *text, int64_t min, int64_t max, int64_t *out, struct err *e);

/* "90s", "5m": nanoseconds. Returns 0, or -EINVAL with *e set. */
int args_duration(const char *text, int64_t *ns, struct err *e);

/* RFC 3339. Returns 0, or -EINVAL with *e set. */
int args_moment(const char *text, int64_t *ns, struct err *e);

#endif
