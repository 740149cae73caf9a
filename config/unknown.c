/*
 * unknown - a word, or a handler by its jobtype.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/unknown.h"

#include <stdlib.h>
#include <string.h>

void
unknown_decode(
    struct reader *r, const struct node *n, const char *name, void *settings)
{
	static const char expected[] = "fail, dead or handler:JOBTYPE";
	static const char prefix[] = "handler:";
	struct settings *s = settings;
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);

	if (text == NULL)
		return;
	if (strcmp(text, "fail") == 0) {
		s->unknown = UNKNOWN_FAIL;
	} else if (strcmp(text, "dead") == 0) {
		s->unknown = UNKNOWN_DEAD;
	} else if (strncmp(text, prefix, sizeof prefix - 1) == 0 &&
	    text[sizeof prefix - 1] != '\0') {
		s->unknown = UNKNOWN_HANDLER;
		field_set_text(
		    &s->unknown_jobtype, strdup(text + sizeof prefix - 1));
		if (s->unknown_jobtype == NULL)
			reader_no_memory(r);
	} else {
		reader_complain(r, n->at, "%s: %s, expected %s", name,
		    reader_quote(text, quoted), expected);
	}
	free(text);
}

void
unknown_check(struct reader *r, struct mark at, struct settings *s)
{
	char quoted[READER_QUOTED_MAX];

	if (s->unknown_jobtype == NULL)
		return;
	s->unknown_handler =
	    settings_handler(s, s->unknown_jobtype, strlen(s->unknown_jobtype));
	if (s->unknown_handler == NULL)
		reader_complain(r, at,
		    "unknown: jobs has no %s, expected a jobtype that stands "
		    "there",
		    reader_quote(s->unknown_jobtype, quoted));
}
