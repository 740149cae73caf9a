/*
 * heard_log - what a test's code says to the log, to be looked at.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_HEARD_LOG_H
#define TESTS_UNIT_HEARD_LOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

struct heard {
	int saved; /* the real standard error */
	FILE *file;
	char text[16384];
};

static void
heard_begin(struct heard *h)
{
	h->file = tmpfile();
	assert_non_null(h->file);
	h->saved = dup(STDERR_FILENO);
	assert_true(h->saved >= 0);
	dup2(fileno(h->file), STDERR_FILENO);
	/* No time in front of the lines: they can be compared whole. */
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_DEBUG);
}

static void
heard_end(struct heard *h)
{
	dup2(h->saved, STDERR_FILENO);
	close(h->saved);
	rewind(h->file);
	size_t n = fread(h->text, 1, sizeof h->text - 1, h->file);
	h->text[n] = '\0';
	fclose(h->file);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
}

#endif
