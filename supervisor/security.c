/*
 * security - the settings' certificates, read for use.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/security.h"

#include <stddef.h>

#include "base/log.h"

struct tls *
security_make(const struct settings *s, struct err *e)
{
	const struct tls_plan plan = { .ca = s->tls.ca,
		.cert = s->tls.cert,
		.key = s->tls.key,
		.name = s->tls.server_name,
		.anyone = s->tls.given && !s->tls.verify };
	const struct {
		const char *name;
		struct mark at;
	} rows[] = { [TLS_FILE_NONE] = { "tls", s->tls.at },
		[TLS_FILE_CA] = { "tls.ca", s->tls.ca_at },
		[TLS_FILE_CERT] = { "tls.cert", s->tls.cert_at },
		[TLS_FILE_KEY] = { "tls.key", s->tls.key_at } };
	enum tls_file at_fault;
	char place[SETTINGS_PLACE_MAX];
	struct tls *t = tls_client(&plan, &at_fault, e);

	if (t == NULL && s->tls.given)
		err_wrap(e, "%s: %s",
		    settings_place(s, rows[at_fault].at, place),
		    rows[at_fault].name);
	else if (t == NULL)
		err_wrap(e, "tls");
	return t;
}

void
security_warn(const struct settings *s)
{
	if (s->tls.given && !s->tls.verify)
		log_say(LOG_LEVEL_WARNING, "tls",
		    "verify is off: whoever answers is believed to be the "
		    "server; anybody on the way can read jobs and make them "
		    "up");
}
