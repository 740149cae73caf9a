/*
 * results - what workers said came out of their jobs, for a while.
 *
 * On disk each is a row, found by the number of its job; here is which number
 * a jid has. The oldest go when their time is over, or there are too many.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_RESULTS_H
#define SERVER_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "server/store/store.h"

enum { RESULTS_MAX = 100000 };

struct results;

/* retention in ns; 0: none is kept. NULL: memory is short. */
struct results *results_new(int64_t retention);
void results_free(struct results *rs); /* accepts NULL */

/* One found at start, in the order of their time. 0 or -ENOMEM. */
int results_load(struct results *rs, int64_t id, const char *jid, int64_t at);

/* From now on changes go to this store (borrowed). */
void results_start(struct results *rs, struct store *store);

/*
 * Keeps a job's result, in the batch that is open: {"jid","at","failed",
 * "result"}. 0, also when none is kept; -EMSGSIZE above RESULT_MAX
 * (protocol/outcome.h); -ENOMEM.
 */
int results_keep(struct results *rs, int64_t id, const char *jid, bool failed,
    const struct json *result);

/*
 * Asks for the newest of this jid. 0, then done is called once, later, with
 * the document (borrowed during the call), NULL when it is gone by then, or
 * a negative result; -ENOENT when there is none; -ENOMEM.
 */
typedef void results_told(void *ctx, int result, const struct err *why,
    const char *document, size_t len);
int results_ask(struct results *rs, const char *jid, size_t len,
    results_told *done, void *ctx);

/* Forgets some of those whose time is over; to be called now and then. */
void results_expire(struct results *rs);

/* Forgets all, in memory alone: after a STORE_CLEAR. */
void results_clear(struct results *rs);

size_t results_count(const struct results *rs);

#endif
