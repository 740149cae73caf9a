/*
 * chance - random bytes from the kernel, fetched a few hundred at a time.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/chance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static unsigned char pool[256];
static size_t left; /* bytes of the pool not yet used */

static uint64_t
draw(void)
{
	uint64_t n;

	if (left < sizeof n) {
		/* Up to 256 bytes come whole, once the kernel is seeded. */
		if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
			abort();
		left = sizeof pool;
	}
	left -= sizeof n;
	memcpy(&n, pool + left, sizeof n);
	return n;
}

uint64_t
chance_below(uint64_t n)
{
	/* What is above the last multiple of n would favour small results. */
	uint64_t surplus = (UINT64_MAX % n + 1) % n;
	uint64_t x;

	do
		x = draw();
	while (x > UINT64_MAX - surplus);
	return x % n;
}

double
chance_between(double low, double high)
{
	double share = (double)(draw() >> 11) / (double)(UINT64_C(1) << 53);

	return low + share * (high - low);
}
