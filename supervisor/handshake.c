/*
 * handshake - HI, HELLO, OK.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/handshake.h"

#include <string.h>

#include "base/log.h"
#include "protocol/hello.h"

int
handshake_answer(struct buf *out, const struct resp *hi,
    const struct identity *who, unsigned *extensions, struct err *e)
{
	struct identity me = *who; /* HELLO's text is not const */
	struct url server = *who->url;
	const struct hello h = { .version = HELLO_VERSION,
		.wid = me.wid,
		.hostname = me.hostname,
		.username = server.user[0] != '\0' ? server.user : NULL,
		.pid = me.pid,
		.labels = me.labels,
		.nlabels = me.nlabels };
	const char *password = identity_password(who);
	struct greeting g;

	if (hi->kind != RESP_SIMPLE)
		return err_set(
		    e, EPROTO, "the server did not greet as Faktory does");
	if (greeting_parse(hi->text, hi->len, &g, e) < 0)
		return -e->code;
	if (g.version != HELLO_VERSION)
		log_say(LOG_LEVEL_WARNING, "server",
		    "%s speaks protocol version %d, we speak %d", me.shown,
		    g.version, HELLO_VERSION);
	if (g.rounds > 0 && password == NULL)
		return err_set(e, EACCES,
		    "the server asks for a password and none is set");
	if (hello_put(out, &h, &g, password) < 0)
		return err_set(e, ENOMEM, "out of memory");
	*extensions = g.extensions;
	return 0;
}

int
handshake_end(const struct resp *reply, struct err *e)
{
	int len = (int)(reply->len < 200 ? reply->len : 200);

	if (reply->kind == RESP_SIMPLE)
		return 0;
	if (reply->kind != RESP_ERROR)
		return err_set(e, EPROTO,
		    "the server answers HELLO with something else than OK");
	if (memmem(reply->text, reply->len, "Invalid password", 16) != NULL)
		return err_set(
		    e, EACCES, "the server does not accept the password");
	return err_set(e, EPROTO, "the server answers HELLO with \"%.*s\"", len,
	    reply->text);
}
