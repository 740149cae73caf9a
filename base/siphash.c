/*
 * siphash - a hash that nobody can steer who does not know its key.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/siphash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

int
siphash_key_make(struct siphash_key *key)
{
	ssize_t n;

	do
		n = getrandom(key->word, sizeof key->word, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof key->word ? 0 : -EIO;
}

static uint64_t
turn(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = turn(v[1], 13) ^ v[0];
	v[0] = turn(v[0], 32);
	v[2] += v[3];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

/* One round a word, three at the end. */
uint32_t
siphash(const struct siphash_key *key, const char *name, size_t len)
{
	uint64_t v[4] = {
		key->word[0] ^ UINT64_C(0x736f6d6570736575),
		key->word[1] ^ UINT64_C(0x646f72616e646f6d),
		key->word[0] ^ UINT64_C(0x6c7967656e657261),
		key->word[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word;
	size_t left = len;

	for (; left >= sizeof word; left -= sizeof word) {
		memcpy(&word, name, sizeof word);
		name += sizeof word;
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}

	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)(unsigned char)name[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;

	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	uint64_t sum = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(sum ^ sum >> 32);
}
