/*
 * cmd_hello - a conversation's first command, and its last.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/log.h"
#include "server/commands.h"
#include "server/parts.h"

static void
welcome(struct conn *c, struct hello *h)
{
	if (h->wid != NULL && h->wid[0] != '\0') {
		c->worker = workers_join(c->server->workers, h);
		if (c->worker == NULL) {
			conn_close(c);
			return;
		}
		jobs_worker_back(c->server->jobs, c->worker->wid);
	}
	ev_timer_stop(c->server->loop, &c->handshake);
	c->state = CONN_SERVING;
	conn_ok(c);
}

/* "HELLO {": one space and a brace; all else is met with silence. */
void
cmd_hello(struct conn *c, const char *arg, size_t len)
{
	const char *password = c->server->settings->password;
	struct hello h;
	struct err e;

	if (len == 0 || arg[0] != '{') {
		conn_close(c);
		return;
	}
	if (hello_parse(arg, len, &h, &e) < 0) {
		log_say(LOG_LEVEL_WARNING, c->peer, "HELLO: %s", e.text);
		conn_close(c);
		return;
	}
	if (password != NULL && !password_proved(&h, &c->greeting, password)) {
		log_say(LOG_LEVEL_WARNING, c->peer, "wrong password");
		conn_error(c, "Invalid password");
		conn_close_after(c);
	} else {
		welcome(c, &h);
	}
	hello_clear(&h);
}

void
cmd_end(struct conn *c, const char *arg, size_t len)
{
	(void)arg;
	(void)len;
	c->said_end = true;
	conn_close(c);
}
