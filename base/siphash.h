/*
 * siphash - a hash that nobody can steer who does not know its key.
 *
 * SipHash-1-3, cut to 32 bits: for tables of names that come from the network.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t word[2];
};

/* A fresh random key. Returns 0 or a negative errno of getrandom(2). */
int siphash_key_make(struct siphash_key *key);

uint32_t siphash(const struct siphash_key *key, const char *name, size_t len);

#endif
