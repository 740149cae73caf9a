/*
 * web_settings - the rows, and the one combination that is refused.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/web_settings.h"

#include <stdlib.h>
#include <string.h>

#include "config/address.h"
#include "config/secret.h"

#define AT(member) offsetof(struct server_settings, member)

/* NULL is what "off" becomes. */
static void
address_or_off(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	if (n->kind == NODE_SCALAR && strcmp(n->text, "off") == 0)
		return;
	address_decode(r, n, name, to);
}

const struct field web_settings_fields[] = {
	{ .name = "listen",
	    .kind = FIELD_OTHER,
	    .decode = address_or_off,
	    .offset = AT(web_listen),
	    .dflt = "127.0.0.1:7420",
	    .expected = "host:port, an IPv6 host in brackets; or off",
	    .help = "Where `/health`, `/stats` and `/metrics` are answered "
		    "over HTTP; `off`: nowhere." },
	{ .name = "password",
	    .kind = FIELD_OTHER,
	    .decode = secret_decode,
	    .offset = AT(web_password),
	    .expected = "text, {file: PATH} or {env: NAME}",
	    .help = "What must be given there, with any user name, for all "
		    "but `/health`. Without it the server's password says; "
		    "when that is not set either, nothing is asked for." },
	{ .name = "public",
	    .kind = FIELD_BOOL,
	    .offset = AT(web_public),
	    .dflt = "false",
	    .help = "Allows an address that other hosts can reach although "
		    "nothing is asked for." },
	{ .name = "plain",
	    .kind = FIELD_BOOL,
	    .offset = AT(web_plain),
	    .dflt = "false",
	    .help = "Answers in plain text although there is `tls`: for a "
		    "proxy or a scraper of this host. Without it this port "
		    "speaks TLS with the same certificate as the clients' "
		    "port; no certificate is asked for." },
	{ 0 },
};

bool
web_settings_exposed(const struct server_settings *s)
{
	static const char local[] = "localhost:";
	struct sockaddr_storage sa;

	if (s->web_listen == NULL || s->web_password != NULL ||
	    s->password != NULL || s->web_public)
		return false;
	if (address_numeric(s->web_listen, &sa) > 0)
		return !address_is_loopback(&sa);
	return strncmp(s->web_listen, local, sizeof local - 1) != 0;
}

void
web_settings_check(
    struct reader *r, const struct node *web, const struct server_settings *s)
{
	char quoted[READER_QUOTED_MAX];

	if (web == NULL || !web_settings_exposed(s))
		return;
	const struct node *listen = node_get(web, "listen");
	reader_complain(r, listen != NULL ? listen->at : web->at,
	    "web.listen: others can reach %s and there is no password, "
	    "expected a password, a loopback address, or web.public: true",
	    reader_quote(s->web_listen, quoted));
}
