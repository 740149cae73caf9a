/*
 * server_options - which server a verb speaks to, and how it is reached.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/server_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "config/secret.h"

static const int64_t timeout = 10 * CLOCK_NS_PER_S;

bool
server_options_take(struct server_options *o, int option, char *value)
{
	switch (option) {
	case SERVER_OPTION_URL:
		o->server = value;
		return true;
	case SERVER_OPTION_CA:
		o->tls.ca = value;
		return true;
	case SERVER_OPTION_CERT:
		o->tls.cert = value;
		return true;
	case SERVER_OPTION_KEY:
		o->tls.key = value;
		return true;
	case SERVER_OPTION_NAME:
		o->tls.name = value;
		return true;
	case SERVER_OPTION_NO_VERIFY:
		o->tls.anyone = true;
		return true;
	default:
		return false;
	}
}

const char *
server_options_mistake(const struct server_options *o)
{
	if ((o->tls.cert == NULL) != (o->tls.key == NULL))
		return "--cert and --key go together";
	return NULL;
}

static const char *
lookup(const char *name)
{
	return getenv(name);
}

/* As the programs do it that have a configuration. */
static int
add_password(struct url *url, struct err *e)
{
	char *text = NULL;

	if (url->has_password)
		return 0;
	int r = secret_find(lookup, &text, e);
	if (r == 0 && text != NULL && strlen(text) >= sizeof url->password)
		r = err_set(e, EINVAL, "the credential %s is too long",
		    SECRET_CREDENTIAL);
	if (r == 0 && text != NULL) {
		(void)snprintf(url->password, sizeof url->password, "%s", text);
		url->has_password = true;
	}
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

/* NULL with *status and *e set. */
static struct connection *
dial(
    const struct server_options *o, struct url *url, int *status, struct err *e)
{
	struct tls *tls = NULL;

	*status = EX_NOINPUT;
	if (add_password(url, e) < 0)
		return NULL;
	if (url->tls && (tls = tls_client(&o->tls, NULL, e)) == NULL)
		return NULL;
	if (url->tls && o->tls.anyone)
		fprintf(stderr,
		    "faktotum %s: warning: --no-verify: whoever answers is "
		    "believed to be the server\n",
		    o->verb);
	*e = (struct err){ 0 };
	struct connection *c = connection_open(url, tls, timeout, e);
	tls_drop(tls);
	*status = e->code == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
	return c;
}

struct connection *
server_options_reach(const struct server_options *o, int *status)
{
	struct connection *c = NULL;
	struct url url;
	struct err e = { 0 };

	if (connection_server(o->server, &url, &e) < 0) {
		*status = EX_USAGE;
	} else {
		/* What stands in argv can be read by everyone on this host. */
		if (o->server != NULL && url.has_password)
			memset(o->server, '*', strlen(o->server));
		c = dial(o, &url, status, &e);
	}
	explicit_bzero(&url, sizeof url);
	if (c == NULL)
		fprintf(stderr, "faktotum %s: %s\n", o->verb, e.text);
	return c;
}
