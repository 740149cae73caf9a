/*
 * number - a JSON number by its digits.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/number.h"

#include <assert.h>
#include <errno.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind the 'e'. */
static int64_t
read_exponent(const char *p, const char *end)
{
	bool negative = p < end && *p == '-';
	int64_t value = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end; p++)
		if (value < NUMBER_EXPONENT_MAX)
			value = value * 10 + (*p - '0');
	if (value > NUMBER_EXPONENT_MAX)
		value = NUMBER_EXPONENT_MAX;
	return negative ? -value : value;
}

struct number
number_read(const struct json *token)
{
	const char *p = token->text, *end = p + token->len;
	int64_t seen = 0, whole = -1, first = -1, last = -1, exponent = 0;
	struct number n = { 0 };

	if (p < end && *p == '-') {
		n.negative = true;
		p++;
	}
	for (; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.') {
			whole = seen;
			continue;
		}
		if (*p != '0') {
			if (first < 0) {
				first = seen;
				n.digits = p;
			}
			last = seen;
		}
		seen++;
	}
	if (p < end)
		exponent = read_exponent(p + 1, end);
	if (first < 0)
		return (struct number){ 0 }; /* -0 is 0 */
	n.count = last - first + 1;
	n.magnitude = (whole < 0 ? seen : whole) - first + exponent;
	return n;
}

/* The next digit, and past it. */
static int
take_digit(const char **p)
{
	while (!is_digit(**p))
		++*p;
	return *(*p)++ - '0';
}

static int
compare_digits(const struct number *a, const struct number *b)
{
	const char *p = a->digits, *q = b->digits;

	for (int64_t i = 0; i < a->count && i < b->count; i++) {
		int d = take_digit(&p) - take_digit(&q);

		if (d != 0)
			return d < 0 ? -1 : 1;
	}
	/* The longer one goes on, and does not end in zeros. */
	return (a->count > b->count) - (a->count < b->count);
}

static int
sign(const struct number *n)
{
	return n->count == 0 ? 0 : n->negative ? -1 : 1;
}

int
number_compare(const struct number *a, const struct number *b)
{
	int s = sign(a), t = sign(b), size;

	if (s != t)
		return s < t ? -1 : 1;
	if (s == 0)
		return 0;
	if (a->magnitude != b->magnitude)
		size = a->magnitude < b->magnitude ? -1 : 1;
	else
		size = compare_digits(a, b);
	return s * size;
}

bool
number_is_whole(const struct number *n)
{
	return n->count == 0 || n->magnitude >= n->count;
}

int
number_count(const struct number *n, uint64_t *out)
{
	const char *p = n->digits;
	uint64_t value = 0;

	if (sign(n) < 0 || !number_is_whole(n) || n->magnitude > 18)
		return -ERANGE;
	for (int64_t i = 0; n->count > 0 && i < n->magnitude; i++)
		value =
		    value * 10 + (i < n->count ? (uint64_t)take_digit(&p) : 0);
	*out = value;
	return 0;
}

static uint64_t
times(uint64_t a, uint64_t b, uint64_t modulus)
{
	return (uint64_t)((unsigned __int128)a * b % modulus);
}

/* Ten to the power, modulo. */
static uint64_t
ten_to(int64_t power, uint64_t modulus)
{
	uint64_t result = 1 % modulus, square = 10 % modulus;

	for (; power > 0; power >>= 1) {
		if (power & 1)
			result = times(result, square, modulus);
		square = times(square, square, modulus);
	}
	return result;
}

/*
 * Both are whole numbers times a power of ten. A number that ends in no zero
 * is no multiple of ten, so a finer n is no multiple of a coarser one.
 */
bool
number_is_multiple(const struct number *n, const struct number *by)
{
	int64_t shift = n->magnitude - n->count - (by->magnitude - by->count);
	const char *p = by->digits;
	uint64_t modulus = 0, rest = 0;

	if (n->count == 0)
		return true;
	if (shift < 0)
		return false;
	for (int64_t i = 0; i < by->count; i++)
		modulus = modulus * 10 + (uint64_t)take_digit(&p);
	assert(modulus > 0);
	p = n->digits;
	for (int64_t i = 0; i < n->count; i++) {
		rest = times(rest, 10, modulus);
		rest = (rest + (uint64_t)take_digit(&p)) % modulus;
	}
	return times(rest, ten_to(shift, modulus), modulus) == 0;
}

uint64_t
number_hash(const struct number *n)
{
	uint64_t hash = (uint64_t)n->magnitude * 2 + n->negative;
	const char *p = n->digits;

	if (n->count == 0)
		return 0;
	for (int64_t i = 0; i < n->count; i++)
		hash =
		    (hash ^ (uint64_t)take_digit(&p)) * UINT64_C(0x100000001b3);
	return hash;
}
