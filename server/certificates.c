/*
 * certificates - those that the settings name, read for use.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/certificates.h"

#include <stddef.h>

struct tls *
certificates_read(const struct server_settings *s, struct err *e)
{
	const struct tls_plan plan = {
		.ca = s->tls.ca, .cert = s->tls.cert, .key = s->tls.key
	};
	const struct {
		const char *name;
		struct mark at;
	} rows[] = { [TLS_FILE_NONE] = { "tls", s->tls.at },
		[TLS_FILE_CA] = { "tls.ca", s->tls.ca_at },
		[TLS_FILE_CERT] = { "tls.cert", s->tls.cert_at },
		[TLS_FILE_KEY] = { "tls.key", s->tls.key_at } };
	enum tls_file at_fault;
	struct tls *t = tls_server(&plan, &at_fault, e);

	if (t == NULL) {
		err_wrap(e, "%s:%zu:%zu: %s", s->file, rows[at_fault].at.line,
		    rows[at_fault].at.column, rows[at_fault].name);
		e->code = EINVAL;
	}
	return t;
}
