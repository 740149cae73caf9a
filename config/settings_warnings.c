/*
 * settings_warnings - what works but may not be meant.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "config/grants.h"
#include "config/reader.h"
#include "config/secret.h"
#include "config/settings.h"

static void
warn_options(struct reader *r, const struct handler *h)
{
	for (size_t i = h->nwrap + 1; i < h->nargv && !h->allow_dash; i++) {
		const struct template *t = h->argv[i];
		char quoted[READER_QUOTED_MAX];

		/* What stands behind a "--" is never an option. */
		if (template_is_literal(t) &&
		    strcmp(template_text(t), "--") == 0)
			return;
		if (template_begins_with_data(t))
			reader_complain(r, h->argv_at[i],
			    "jobs.%.100s: %s will be "
			    "refused when the value begins with \"-\", since "
			    "it could "
			    "be taken for an option; put \"--\" before it, or "
			    "set "
			    "allow_dash",
			    h->jobtype, reader_quote(template_text(t), quoted));
	}
}

/* The check before a reload has no credentials: no mistake of the file. */
static void
warn_grants(struct reader *r, const struct handler *h)
{
	if (grants_lack(h->credentials))
		reader_complain(r, h->credentials->at,
		    "jobs.%.100s.credentials: CREDENTIALS_DIRECTORY is not "
		    "there to be read: where the supervisor runs like this, "
		    "the job fails as HandlerUnavailable",
		    h->jobtype);
}

void
settings_warnings(const struct settings *s, settings_tell *tell, void *ctx)
{
	struct reader r = { .file = s->file, .files = s->files };

	if (!s->tls.verify)
		reader_complain(&r, s->tls.at,
		    "tls.verify: off: whoever answers is believed to be the "
		    "server; anybody on the way can read jobs and make them "
		    "up");
	if (secret_is_unseen(s->password))
		reader_complain(&r, s->password_at,
		    "password: CREDENTIALS_DIRECTORY is not there to be read: "
		    "the credential was not looked at");
	if (tls_settings_are_elsewhere(&s->tls))
		reader_complain(&r, s->tls.at,
		    "tls: CREDENTIALS_DIRECTORY is not there to be read: the "
		    "certificates were not looked at");
	for (size_t i = 0; i < s->nhandlers; i++) {
		warn_options(&r, &s->handlers[i]);
		warn_grants(&r, &s->handlers[i]);
	}
	reader_finish(&r, tell, ctx);
}
