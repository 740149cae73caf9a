/*
 * pattern - regular expressions by PCRE2.
 *
 * What a match costs is known afterwards to nobody, but PCRE2 gives up at a
 * number of backtracks that we choose. So it is tried with few, and with
 * sixteen times as many, as long as the effort lasts: what is paid for is at
 * most a little more than what was used.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/pattern.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	FIRST_TRY = 64, /* backtracks from each place where a match may begin */
	LAST_TRY = 1 << 24,
	HEAP_KIB = 16 * 1024,
	BACKTRACKS_PER_STEP = 8,
	BYTES_PER_STEP = 64, /* that a place may have to look at */
};

struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	bool anchored;
};

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_match_context_free(p->limits);
	pcre2_match_data_free(p->match);
	pcre2_code_free(p->code);
	free(p);
}

static pcre2_code *
compile(const char *text, size_t len, struct err *e)
{
	const uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX |
	    PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
	    PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	PCRE2_SIZE at;
	int error;

	if (context == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	code =
	    pcre2_compile((PCRE2_SPTR)text, len, options, &error, &at, context);
	if (code == NULL) {
		PCRE2_UCHAR why[120];

		pcre2_get_error_message(error, why, sizeof why);
		err_set(e, EINVAL, "%s at byte %zu of the pattern",
		    (const char *)why, (size_t)at);
	}
	pcre2_compile_context_free(context);
	return code;
}

struct pattern *
pattern_new(const char *text, size_t len, struct err *e)
{
	struct pattern *p;
	uint32_t all = 0;

	if (len > PATTERN_MAX) {
		err_set(e, EINVAL, "%zu bytes, expected at most %d", len,
		    PATTERN_MAX);
		return NULL;
	}
	p = calloc(1, sizeof *p);
	if (p == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	p->code = compile(text, len, e);
	if (p->code == NULL) {
		free(p);
		return NULL;
	}
	p->match = pcre2_match_data_create(1, NULL);
	p->limits = pcre2_match_context_create(NULL);
	if (p->match == NULL || p->limits == NULL) {
		err_set(e, ENOMEM, "out of memory");
		pattern_free(p);
		return NULL;
	}
	pcre2_set_heap_limit(p->limits, HEAP_KIB);
	(void)pcre2_pattern_info(p->code, PCRE2_INFO_ALLOPTIONS, &all);
	p->anchored = (all & PCRE2_ANCHORED) != 0;
	return p;
}

/* Each place where a match may begin has its own backtracks. */
static uint64_t
price(const struct pattern *p, size_t len, uint32_t backtracks)
{
	uint64_t places = p->anchored ? 1 : (uint64_t)len + 1;

	return places *
	    (1 + backtracks / BACKTRACKS_PER_STEP + len / BYTES_PER_STEP);
}

int
pattern_matches(struct pattern *p, const char *text, size_t len, uint64_t *left)
{
	for (uint32_t most = FIRST_TRY; most <= LAST_TRY; most *= 16) {
		uint64_t cost = price(p, len, most);

		/* The first try of a short text is nearly always enough. */
		if (most == FIRST_TRY && !p->anchored && len < 256)
			cost = 1 + len / 2;
		if (cost > *left)
			return -E2BIG;
		*left -= cost;
		pcre2_set_match_limit(p->limits, most);
		int r = pcre2_match(p->code, (PCRE2_SPTR)text, len, 0,
		    PCRE2_NO_UTF_CHECK, p->match, p->limits);
		if (r >= 0)
			return 1;
		if (r == PCRE2_ERROR_NOMATCH)
			return 0;
		if (r == PCRE2_ERROR_NOMEMORY)
			return -ENOMEM;
		if (r != PCRE2_ERROR_MATCHLIMIT)
			return -E2BIG; /* the heap, or something like it */
	}
	return -E2BIG;
}
