/*
 * server_url - one answer for check and run.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/server_url.h"

#include "cli/hidden.h"

int
server_url(const char *text, struct url *u, struct err *e)
{
	return text != NULL ? url_parse(text, u, e)
			    : url_from_environment(hidden_lookup, u, e);
}

int
server_url_of(const struct settings *s, struct url *u, struct err *e)
{
	if (server_url(s->server, u, e) == 0)
		return 0;
	if (s->server == NULL)
		return -e->code;
	char place[SETTINGS_PLACE_MAX];
	return err_wrap(
	    e, "%s: server", settings_place(s, s->server_at, place));
}
