/*
 * courier - parcels, from those who must not wait to a place that may.
 *
 * Anybody puts a parcel into the bag, at once or not at all; one thread
 * delivers them, in their order. The bag is bounded: when the place takes
 * nothing for long, it fills, and what does not fit is refused. What a parcel
 * is, and where it goes, is the owner's.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_COURIER_H
#define SUPERVISOR_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Between two attempts at a parcel that was not taken. */
#define COURIER_PAUSE INT64_C(100000000) /* ns */

/* Both are called on the courier's thread, with no lock held. */
struct courier_hooks {
	/* False: not now; the same parcel again after a pause. */
	bool (*deliver)(void *ctx, const char *bytes, size_t len);
	/* After each that was; `left` are in the bag. May be NULL. */
	void (*delivered)(void *ctx, size_t left);
};

struct courier;

/*
 * max: bytes of the bag. The thread begins with the first parcel, so that
 * who never sends one has none. hooks and ctx are borrowed until
 * courier_close(). Returns NULL when memory is short.
 */
struct courier *
courier_new(size_t max, const struct courier_hooks *hooks, void *ctx);

/*
 * Puts a copy into the bag, if at least `spare` bytes of it stay free; false
 * when not. Never waits for a delivery. From any thread.
 */
bool
courier_take(struct courier *c, const char *bytes, size_t len, size_t spare);

/*
 * Waits until everything is delivered, `patience` (ns) at most, and then
 * delivers no more until courier_go_on(). Returns how many parcels are left.
 */
size_t courier_hold(struct courier *c, int64_t patience);
void courier_go_on(struct courier *c);

/*
 * Delivers for `patience` more, forgets the rest and frees c. False when a
 * delivery does not come back: then it keeps ctx for ever. Accepts NULL.
 */
bool courier_close(struct courier *c, int64_t patience);

#endif
