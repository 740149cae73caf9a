/*
 * reload - SIGHUP: what the server takes from a new reading of its file.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/log.h"
#include "server/certificates.h"
#include "server/parts.h"
#include "server/web/web.h"
#include "server/weights.h"

/*
 * Makes use of the settings that are new. On failure nothing has changed but
 * perhaps the weights, which can be set back: their queues are there.
 */
static int
use(struct server *s, struct err *e)
{
	if (web_settings_exposed(s->settings))
		return err_set(e, EINVAL,
		    "without a password others could look at %s",
		    s->settings->web_listen);
	if (weights_set(s->queues, &s->settings->queue_weights) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return catalogue_load(s->catalogue, &s->settings->jobtypes, e);
}

/* Returns whether something is in use that was not before. */
static bool
renew(struct server *s, struct server_settings *next)
{
	struct err e;

	if (next->tls.given != (s->tls != NULL)) {
		log_say(LOG_LEVEL_WARNING, "reload",
		    "tls begins and ends at the next start only");
		next->tls.given = false;
	}
	struct tls *t = next->tls.given ? certificates_read(next, &e) : NULL;
	if (next->tls.given && t == NULL) {
		log_say(LOG_LEVEL_ERROR, "reload", "%s", e.text);
		return false;
	}
	server_settings_renew(s->settings, next);
	if (use(s, &e) < 0) {
		server_settings_renew(s->settings, next);
		(void)weights_set(s->queues, &s->settings->queue_weights);
		log_say(LOG_LEVEL_ERROR, "reload", "%s", e.text);
		tls_drop(t);
		return false;
	}
	if (t != NULL) {
		tls_drop(s->tls);
		s->tls = t;
	}
	/* What has just been read by one library will do for the other. */
	if (t != NULL && s->web != NULL && web_renew(s->web, &e) < 0)
		log_say(LOG_LEVEL_ERROR, "reload",
		    "%s; its certificate stays the old one", e.text);
	return true;
}

void
server_reload(struct server *s, struct server_settings *next)
{
	notify_reloading(s->notify);
	if (next != NULL && renew(s, next))
		log_say(LOG_LEVEL_INFO, "reload",
		    "passwords%s are those of %s, for new connections, and so "
		    "are jobtypes and queue_weights; other settings are read "
		    "at the start",
		    s->tls != NULL ? " and certificates" : "", next->file);
	else
		log_say(LOG_LEVEL_ERROR, "reload",
		    "nothing was changed; going on as before");
	server_settings_free(next);
	notify_reloaded(s->notify);
}
