/*
 * scopes - the transient unit of one run, as handlers/scope takes it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/scopes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "supervisor/confines.h"

/* Together with the rest below the 255 bytes that systemd allows. */
enum { JID_ESCAPED_MAX = 120, WORD_MAX = 120 };

/* The struct, with the texts that it refers to. */
struct made {
	struct scope_request request;
	char unit[256];
	char description[2 * WORD_MAX + 16];
};

/* A whole number of escapes. */
static void
escape(char out[JID_ESCAPED_MAX + 1], const char *jid)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789:_.";
	size_t len = 0;

	for (const char *c = jid; *c != '\0'; c++) {
		bool as_it_is = strchr(plain, *c) != NULL;

		if (len + (as_it_is ? 1 : 4) > JID_ESCAPED_MAX)
			break;
		if (as_it_is)
			out[len++] = *c;
		else
			len += (size_t)snprintf(out + len, 5, "\\x%02x",
			    (unsigned)(unsigned char)*c);
	}
	out[len] = '\0';
}

/* What a terminal may see, and the bus takes: UTF-8 without controls. */
static void
clean(char out[WORD_MAX + 1], const char *text)
{
	size_t left = strlen(text), len = 0;

	while (left > 0) {
		size_t n = utf8_step(text, left);
		unsigned char first = (unsigned char)*text;
		bool bad = n == 0 || first < 0x20 || first == 0x7f ||
		    (first == 0xc2 && (unsigned char)text[1] < 0xa0);

		n = n > 0 ? n : 1;
		if (len + n > WORD_MAX)
			break;
		if (bad)
			out[len++] = '?';
		else
			memcpy(out + len, text, n);
		len += bad ? 0 : n;
		text += n;
		left -= n;
	}
	out[len] = '\0';
}

int
scopes_make(const struct confinement *c, const char *jobtype, const char *jid,
    const char *id, struct scope_request **out)
{
	char escaped[JID_ESCAPED_MAX + 1], type[WORD_MAX + 1],
	    shown[WORD_MAX + 1];

	*out = NULL;
	if (c->isolate != ISOLATE_UNIT)
		return 0;
	struct made *m = calloc(1, sizeof *m);
	if (m == NULL)
		return -ENOMEM;
	escape(escaped, jid);
	clean(type, jobtype);
	clean(shown, jid);
	(void)snprintf(m->unit, sizeof m->unit, "faktotum-job-%s-%.100s.scope",
	    escaped, id);
	(void)snprintf(
	    m->description, sizeof m->description, "%s, job %s", type, shown);
	m->request = (struct scope_request){ .unit = m->unit,
		.description = m->description,
		.slice = c->slice,
		.limits = confines_limits(c) };
	*out = &m->request;
	return 0;
}

void
scopes_free(struct scope_request *q)
{
	free(q); /* the first member of a struct made */
}
