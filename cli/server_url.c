/*
 * server_url - one answer for check and run.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/server_url.h"

#include <string.h>

#include "cli/hidden.h"

int
server_url(const char *text, struct url *u, struct err *e)
{
	return text != NULL ? url_parse(text, u, e)
			    : url_from_environment(hidden_lookup, u, e);
}

/* Two that are one would be told apart by nobody. */
static int
check_new(const struct servers *found, const struct url *u, struct err *e)
{
	char shown[URL_SHOWN_MAX];

	for (size_t i = 0; i < found->count; i++)
		if (found->urls[i].port == u->port &&
		    strcmp(found->urls[i].host, u->host) == 0) {
			url_show(u, shown);
			return err_set(
			    e, EINVAL, "%s stands in the list twice", shown);
		}
	return 0;
}

int
server_urls_of(const struct settings *s, struct servers *found, struct err *e)
{
	char place[SETTINGS_PLACE_MAX];

	*found = (struct servers){ 0 };
	if (s->nservers == 0) {
		found->count = 1;
		int r = server_url(NULL, &found->urls[0], e);
		found->tls = r == 0 && found->urls[0].tls;
		return r;
	}
	for (size_t i = 0; i < s->nservers; i++) {
		struct url *u = &found->urls[i];

		if (server_url(s->servers[i], u, e) < 0 ||
		    check_new(found, u, e) < 0)
			return err_wrap(e, "%s: server",
			    settings_place(s, s->servers_at[i], place));
		found->tls = found->tls || u->tls;
		found->count++;
	}
	return 0;
}
