/*
 * tally - rows by name and by number.
 *
 * A row without jobs stays until its number is wanted: a jobtype whose jobs
 * come one at a time would be made and freed with each of them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"

struct row {
	size_t jobs;
	uint16_t number;
	uint8_t len;
	char name[];
};

struct tally {
	struct map *by_name;
	size_t rest;      /* jobs */
	size_t idle;      /* rows without jobs */
	struct row *last; /* that was entered: most come in runs; may be NULL */
	size_t nfree;
	uint16_t free[TALLY_TYPES_MAX];        /* numbers, the next one last */
	struct row *rows[TALLY_TYPES_MAX + 1]; /* owned; NULL: free */
};

struct tally *
tally_new(void)
{
	struct tally *t = calloc(1, sizeof *t);

	if (t == NULL || (t->by_name = map_new()) == NULL) {
		free(t);
		return NULL;
	}
	for (uint16_t n = TALLY_TYPES_MAX; n > TALLY_REST; n--)
		t->free[t->nfree++] = n;
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i <= TALLY_TYPES_MAX; i++)
		free(t->rows[i]);
	map_free(t->by_name);
	free(t);
}

static void
drop(struct tally *t, struct row *row)
{
	(void)map_remove(t->by_name, row->name, row->len);
	t->rows[row->number] = NULL;
	t->free[t->nfree++] = row->number;
	if (t->last == row)
		t->last = NULL;
	free(row);
}

static void
drop_idle(struct tally *t)
{
	for (size_t i = 0; i <= TALLY_TYPES_MAX && t->idle > 0; i++)
		if (t->rows[i] != NULL && t->rows[i]->jobs == 0) {
			drop(t, t->rows[i]);
			t->idle--;
		}
}

/* Without jobs. NULL: it cannot be told apart. */
static struct row *
add(struct tally *t, const char *name, size_t len)
{
	if (t->nfree == 0)
		drop_idle(t);
	if (t->nfree == 0 || len > TALLY_NAME_MAX)
		return NULL;

	struct row *row = calloc(1, sizeof *row + len);
	if (row == NULL)
		return NULL;
	memcpy(row->name, name, len);
	row->len = (uint8_t)len;
	row->number = t->free[t->nfree - 1];
	if (map_put(t->by_name, row->name, len, row) < 0) {
		free(row);
		return NULL;
	}
	t->nfree--;
	t->rows[row->number] = row;
	t->idle++;
	return row;
}

static bool
is(const struct row *row, const char *name, size_t len)
{
	return row != NULL && row->len == len &&
	    memcmp(row->name, name, len) == 0;
}

uint16_t
tally_enter(struct tally *t, const char *name, size_t len)
{
	struct row *row = t->last;

	if (!is(row, name, len)) {
		row = map_get(t->by_name, name, len);
		if (row == NULL)
			row = add(t, name, len);
	}
	if (row == NULL) {
		t->rest++;
		return TALLY_REST;
	}
	t->last = row;
	if (row->jobs++ == 0)
		t->idle--;
	return row->number;
}

void
tally_leave(struct tally *t, uint16_t number)
{
	struct row *row = t->rows[number];

	if (number == TALLY_REST) {
		assert(t->rest > 0);
		t->rest--;
		return;
	}
	assert(row != NULL && row->jobs > 0);
	if (--row->jobs == 0)
		t->idle++;
}

int
tally_put(const struct tally *t, struct buf *out)
{
	const char *comma = "";
	int r = buf_puts(out, "{\"jobtypes\":{");

	for (size_t i = 0; i <= TALLY_TYPES_MAX && r == 0; i++) {
		const struct row *row = t->rows[i];

		if (row == NULL || row->jobs == 0)
			continue;
		if ((r = buf_puts(out, comma)) == 0 &&
		    (r = json_put_string(out, row->name, row->len)) == 0)
			r = buf_printf(out, ":%zu", row->jobs);
		comma = ",";
	}
	return r < 0 ? r : buf_printf(out, "},\"others\":%zu}", t->rest);
}
