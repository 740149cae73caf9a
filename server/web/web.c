/*
 * web - libmicrohttpd on the server's loop.
 *
 * The listening socket is ours, so that running out of descriptors makes us
 * rest instead of spin. A connection is ended by shutting its socket down:
 * the library finds that out as it finds out that a peer has gone.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "server/listener.h"
#include "server/parts.h"
#include "server/web/certificate.h"
#include "server/web/web_inside.h"

/* Ends its peers. Accepts NULL. */
static void
house_close(struct house *h)
{
	if (h == NULL)
		return;
	ev_io_stop(h->web->loop, &h->ready);
	ev_timer_stop(h->web->loop, &h->soon);
	MHD_stop_daemon(h->daemon);
	free(h);
}

/* Lets the library do what is to be done. Not to be called from within it. */
static void
drive(struct house *h)
{
	struct web *w = h->web;
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	if (h == w->before && h->npeers == 0) {
		w->before = NULL;
		house_close(h);
		return;
	}
	ev_timer_stop(w->loop, &h->soon);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES) {
		ev_timer_set(&h->soon, (double)ms / 1e3, 0.);
		ev_timer_start(w->loop, &h->soon);
	}
}

static void
on_ready(struct ev_loop *loop, ev_io *watcher, int revents)
{
	(void)loop;
	(void)revents;
	drive(watcher->data);
}

static void
on_soon(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)revents;
	drive(watcher->data);
}

/* ---- peers --------------------------------------------------------------- */

static void
end(struct peer *p)
{
	p->over = true;
	(void)shutdown(p->fd, SHUT_RDWR);
}

static void
on_impatient(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)revents;
	end(watcher->data);
}

static void
be_patient(struct peer *p)
{
	ev_timer_stop(p->web->loop, &p->patience);
	ev_timer_set(&p->patience, WEB_PATIENCE, 0.);
	ev_timer_start(p->web->loop, &p->patience);
}

static void
begin(struct house *h, struct MHD_Connection *c, void **context)
{
	struct web *w = h->web;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *p = info != NULL ? calloc(1, sizeof *p) : NULL;

	*context = p;
	if (p == NULL)
		return;
	p->web = w;
	p->house = h;
	p->fd = info->connect_fd;
	snprintf(p->name, sizeof p->name, "%s", w->arriving);
	ev_timer_init(&p->patience, on_impatient, 0., 0.);
	p->patience.data = p;
	be_patient(p);
	TAILQ_INSERT_TAIL(&w->peers, p, link);
	w->npeers++;
	h->npeers++;
}

static void
forget(struct peer *p)
{
	if (p == NULL)
		return;
	struct web *w = p->web;
	ev_timer_stop(w->loop, &p->patience);
	TAILQ_REMOVE(&w->peers, p, link);
	w->npeers--;
	p->house->npeers--;
	w->held -= p->held;
	free(p);
}

static void
on_connection(void *ctx, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		begin(ctx, c, context);
	} else {
		forget(*context);
		*context = NULL;
	}
}

struct peer *
web_peer(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* An answer is out: a new request has its own time. */
static void
on_completed(void *ctx, struct MHD_Connection *c, void **request,
    enum MHD_RequestTerminationCode how)
{
	struct web *w = ((struct house *)ctx)->web;
	struct peer *p = web_peer(c);

	(void)how;
	*request = NULL;
	if (p == NULL)
		return;
	w->held -= p->held;
	p->held = 0;
	p->answering = false;
	TAILQ_REMOVE(&w->peers, p, link);
	TAILQ_INSERT_TAIL(&w->peers, p, link);
	if (p->house != w->now)
		end(p);
	else if (!p->over)
		be_patient(p);
}

/* Who waits for nothing goes first, then who waits for longest. */
static void
make_room(struct web *w)
{
	struct peer *p = TAILQ_FIRST(&w->peers);

	while (p != NULL && (p->answering || p->over))
		p = TAILQ_NEXT(p, link);
	if (p == NULL)
		p = TAILQ_FIRST(&w->peers);
	if (p == NULL)
		return;
	end(p);
	drive(p->house);
}

static void
on_accept(void *ctx, int fd, const char *name)
{
	struct web *w = ctx;
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof sa;

	if (w->npeers >= WEB_CONNS)
		make_room(w);
	if (w->npeers >= WEB_CONNS ||
	    getpeername(fd, (struct sockaddr *)(void *)&sa, &len) < 0) {
		close(fd);
		return;
	}
	w->arriving = name;
	/* It closes fd when it cannot take it. */
	if (MHD_add_connection(w->now->daemon, fd,
		(const struct sockaddr *)(const void *)&sa, len) != MHD_YES)
		log_say(LOG_LEVEL_WARNING, "web", "%s: not taken", name);
	drive(w->now);
}

/* ---- open and close --------------------------------------------------------- */

static void __attribute__((format(printf, 2, 0)))
on_complaint(void *ctx, const char *fmt, va_list args)
{
	char text[512];

	(void)ctx;
	vsnprintf(text, sizeof text, fmt, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_say(LOG_LEVEL_DEBUG, "web", "%s", text);
}

static bool
speaks_tls(const struct web *w)
{
	const struct server_settings *s = w->server->settings;

	return s->tls.given && !s->web_plain;
}

/* c: NULL for plain text. The library has read it when this returns. */
static struct MHD_Daemon *
make_daemon(struct house *h, const struct certificate *c)
{
	static char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	const struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, c != NULL ? c->cert : NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, c != NULL ? c->key : NULL },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, versions },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
		MHD_USE_ERROR_LOG | (c != NULL ? MHD_USE_TLS : 0),
	    0, NULL, NULL, web_answer, h, MHD_OPTION_EXTERNAL_LOGGER,
	    on_complaint, h, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)WEB_CONNS + 8, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)WEB_HEAD_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_ARRAY,
	    c != NULL ? tls : plain, MHD_OPTION_END);
}

/*
 * The one that was there finishes its answers, for no longer than WEB_PATIENCE;
 * who waits for none is ended.
 */
static void
take_over(struct web *w, struct house *h)
{
	struct peer *p;

	house_close(w->before);
	w->before = w->now;
	w->now = h;
	for (p = TAILQ_FIRST(&w->peers); p != NULL; p = TAILQ_NEXT(p, link))
		if (!p->answering)
			end(p);
	if (w->before != NULL)
		drive(w->before);
}

static int
start_daemon(struct web *w, struct err *e)
{
	struct house *h = calloc(1, sizeof *h);
	struct certificate c = { 0 };
	bool secure = speaks_tls(w);

	if (h == NULL)
		return err_set(e, ENOMEM, "out of memory");
	if (secure && certificate_read(&c, &w->server->settings->tls, e) < 0) {
		free(h);
		return -e->code;
	}
	h->web = w;
	struct MHD_Daemon *d = make_daemon(h, secure ? &c : NULL);
	certificate_clear(&c);
	const union MHD_DaemonInfo *info =
	    d != NULL ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info == NULL) {
		if (d != NULL)
			MHD_stop_daemon(d);
		free(h);
		return err_set(e, EIO,
		    secure ? "libmicrohttpd does not start with this "
			     "certificate and key"
			   : "libmicrohttpd does not start");
	}
	h->daemon = d;
	ev_io_init(&h->ready, on_ready, info->epoll_fd, EV_READ);
	ev_init(&h->soon, on_soon);
	h->ready.data = h->soon.data = h;
	ev_io_start(w->loop, &h->ready);
	take_over(w, h);
	return 0;
}

int
web_renew(struct web *w, struct err *e)
{
	if (!speaks_tls(w))
		return 0;
	int r = start_daemon(w, e);
	if (r < 0)
		err_wrap(e, "web");
	return r;
}

struct web *
web_open(struct server *s, struct err *e)
{
	struct web *w = calloc(1, sizeof *w);

	if (w == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	w->server = s;
	w->loop = s->loop;
	TAILQ_INIT(&w->peers);
	w->listener =
	    listener_open(s->loop, s->settings->web_listen, on_accept, w, e);
	if (w->listener == NULL || start_daemon(w, e) < 0) {
		err_wrap(e, "web");
		web_close(w);
		return NULL;
	}
	log_say(LOG_LEVEL_INFO, "web", "answering on http%s://%s",
	    speaks_tls(w) ? "s" : "", listener_address(w->listener));
	return w;
}

void
web_close(struct web *w)
{
	if (w == NULL)
		return;
	listener_close(w->listener);
	house_close(w->before);
	house_close(w->now);
	free(w);
}

size_t
web_connections(const struct web *w)
{
	return w->npeers;
}
