/*
 * http_settings - two rows, and what one of them asks of the other.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/http_settings.h"

#include "config/address.h"

const struct field http_settings_fields[] = {
	{ .name = "listen",
	    .kind = FIELD_OTHER,
	    .decode = address_decode,
	    .offset = offsetof(struct settings, http_listen),
	    .expected = "an address and a port such as 127.0.0.1:9410",
	    .help = "Where `/healthz`, `/readyz` and `/metrics` are answered. "
		    "Without it nothing listens. Port 0: the system chooses, "
		    "the log tells." },
	{ .name = "public",
	    .kind = FIELD_BOOL,
	    .offset = offsetof(struct settings, http_public),
	    .dflt = "false",
	    .help = "Allows an address that other hosts can reach. Nobody is "
		    "asked who they are." },
	{ 0 },
};

void
http_settings_check(
    struct reader *r, const struct node *http, struct settings *s)
{
	char quoted[READER_QUOTED_MAX];
	struct sockaddr_storage sa;

	if (http == NULL)
		return;
	const struct node *public = node_get(http, "public");
	if (s->http_listen == NULL && s->http_public && public != NULL)
		reader_complain(r, public->at,
		    "http.public: true: nothing listens, expected http.listen "
		    "too");
	if (s->http_listen == NULL)
		return;
	const struct node *listen = node_get(http, "listen");
	s->http_listen_at = listen != NULL ? listen->at : http->at;
	if (address_numeric(s->http_listen, &sa) == 0)
		reader_complain(r, s->http_listen_at,
		    "http.listen: %s is a name, expected a number such as "
		    "127.0.0.1 before the port",
		    reader_quote(s->http_listen, quoted));
	else if (!address_is_loopback(&sa) && !s->http_public)
		reader_complain(r, s->http_listen_at,
		    "http.listen: others can reach %s, expected a loopback "
		    "address, or http.public: true",
		    reader_quote(s->http_listen, quoted));
}
