/*
 * answer - what a request to the web pages is sent: a page, or why not.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/parts.h"
#include "server/web/access.h"
#include "server/web/pages.h"
#include "server/web/web_inside.h"

static void
add_headers(struct MHD_Response *r, const struct page *p)
{
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, p->type);
	(void)MHD_add_response_header(
	    r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	(void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (p->status == MHD_HTTP_UNAUTHORIZED)
		(void)MHD_add_response_header(r,
		    MHD_HTTP_HEADER_WWW_AUTHENTICATE,
		    "Basic realm=\"Faktory\"");
	if (p->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(
		    r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}

/* Sends p and takes its body. */
static mhd_result
answer(struct peer *to, struct MHD_Connection *c, struct page *p)
{
	struct web *w = to->web;

	if (w->held + buf_len(p->body) > WEB_HELD_MAX)
		page_say(p, 503, "too many answers have not been taken yet");
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(buf_len(p->body),
		(void *)(uintptr_t)buf_front(p->body), MHD_RESPMEM_MUST_COPY);
	to->held = buf_len(p->body);
	w->held += to->held;
	buf_free(p->body);
	if (r == NULL)
		return MHD_NO;
	add_headers(r, p);
	mhd_result done = MHD_queue_response(c, p->status, r);
	MHD_destroy_response(r);
	return done;
}

/* A line a second at most, whoever guesses. */
static void
tell_refusal(struct web *w, const char *peer)
{
	int64_t now = clock_mono();

	if (w->last_refusal != 0 && now - w->last_refusal < CLOCK_NS_PER_S)
		return;
	w->last_refusal = now;
	log_say(LOG_LEVEL_WARNING, "web", "%s: wrong password", peer);
}

static void
make(
    struct peer *to, struct MHD_Connection *c, const char *path, struct page *p)
{
	const struct server_settings *s = to->web->server->settings;

	switch (page_is_public(path)
		? ACCESS_GRANTED
		: access_of(c,
		      s->web_password != NULL ? s->web_password
					      : s->password)) {
	case ACCESS_GRANTED:
		page_make(to->web->server, path, p);
		return;
	case ACCESS_UNASKED:
		page_say(p, MHD_HTTP_UNAUTHORIZED, "Authorization required");
		return;
	case ACCESS_WRONG:
		tell_refusal(to->web, to->name);
		page_say(p, MHD_HTTP_UNAUTHORIZED, "Authorization failed");
		return;
	}
}

mhd_result
web_answer(void *ctx, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *bytes, size_t *len,
    void **request)
{
	static char seen;
	struct peer *to = web_peer(c);
	bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	    strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;

	(void)ctx;
	(void)version;
	(void)bytes;
	if (to == NULL)
		return MHD_NO;
	if (*request == NULL && reads) {
		*request = &seen;
		return MHD_YES;
	}
	if (*len > 0 && reads) {
		*len = 0;
		return MHD_YES;
	}
	struct page p = { .body = buf_new(WEB_BODY_MAX) };
	if (p.body == NULL)
		return MHD_NO;
	to->answering = true;
	if (reads)
		make(to, c, path, &p);
	else
		page_say(&p, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only");
	return answer(to, c, &p);
}
