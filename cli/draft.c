/*
 * draft - a job on its way to being pushed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/draft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "cli/args.h"
#include "protocol/job.h"

int
draft_jid(char out[DRAFT_JID_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[DRAFT_JID_HEX / 2];
	ssize_t n;

	/* Up to 256 bytes come whole or not at all. */
	do
		n = getrandom(random, sizeof random, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (size_t i = 0; i < sizeof random; i++) {
		out[2 * i] = digits[random[i] >> 4];
		out[2 * i + 1] = digits[random[i] & 15];
	}
	out[DRAFT_JID_HEX] = '\0';
	return 0;
}

static int
put_text(struct buf *out, const char *key, const char *text)
{
	int r = buf_printf(out, "\"%s\":", key);

	return r < 0 ? r : json_put_string(out, text, strlen(text));
}

static int
put_moment(struct buf *out, const char *key, int64_t ns)
{
	char text[TIMESTAMP_MAX];

	(void)timestamp_format(ns, text);
	return buf_printf(out, "\"%s\":\"%s\"", key, text);
}

/* jid, jobtype, queue, retry, created_at and what was asked for besides. */
static int
put_head(struct buf *out, const struct draft *d, struct err *e)
{
	char fresh[DRAFT_JID_HEX + 1] = "";
	int r = d->jid == NULL ? draft_jid(fresh) : 0;

	if (r < 0)
		return err_set(e, -r, "no random bytes: %s", strerror(-r));
	if (buf_putc(out, '{') < 0 ||
	    put_text(out, "jid", d->jid != NULL ? d->jid : fresh) < 0 ||
	    buf_putc(out, ',') < 0 ||
	    put_text(out, "jobtype", d->jobtype) < 0 ||
	    buf_putc(out, ',') < 0 || put_text(out, "queue", d->queue) < 0 ||
	    buf_printf(out, ",\"retry\":%" PRId64, d->retry) < 0 ||
	    buf_putc(out, ',') < 0 ||
	    put_moment(out, "created_at", d->now) < 0 ||
	    (d->has_at &&
		(buf_putc(out, ',') < 0 || put_moment(out, "at", d->at) < 0)) ||
	    (d->reserve_for > 0 &&
		buf_printf(out, ",\"reserve_for\":%" PRId64, d->reserve_for) <
		    0))
		return err_set(e, ENOMEM, "memory is short");
	return 0;
}

static int
check(const char *text, size_t len, char **jid, struct err *e)
{
	struct job j;

	if (job_parse(text, len, &j, e) < 0)
		return -e->code;
	int r = job_check(&j, e);
	if (r == 0 && jid != NULL) {
		*jid = strndup(j.jid.bytes, j.jid.len);
		if (*jid == NULL)
			r = err_set(e, ENOMEM, "memory is short");
	}
	job_clear(&j);
	return r;
}

int
draft_put(struct buf *out, const struct draft *d, struct err *e)
{
	size_t start = buf_len(out);

	if (put_head(out, d, e) < 0)
		return -e->code;
	if (buf_puts(out, ",\"args\":") < 0)
		return err_set(e, ENOMEM, "memory is short");
	if (d->args != NULL) {
		if (args_put_array(out, d->args, e) < 0)
			return err_wrap(e, "--args");
	} else if (args_put_list(out, d->words, d->nwords, d->strings, e) < 0) {
		return -e->code;
	}
	if (d->ncustom > 0) {
		if (buf_puts(out, ",\"custom\":") < 0)
			return err_set(e, ENOMEM, "memory is short");
		if (args_put_pairs(out, d->custom, d->ncustom, d->strings, e) <
		    0)
			return err_wrap(e, "--custom");
	}
	if (buf_putc(out, '}') < 0)
		return err_set(e, ENOMEM, "memory is short");
	return check(buf_front(out) + start, buf_len(out) - start, NULL, e);
}

/* What a line of JSON says already; servers match keys without case. */
struct said {
	bool jid, jobtype, queue, retry, created_at, reserve_for;
	bool anything;
};

static void
note(struct said *s, const struct json *key)
{
	struct {
		const char *name;
		bool *flag;
	} const known[] = {
		{ "jid", &s->jid },
		{ "jobtype", &s->jobtype },
		{ "queue", &s->queue },
		{ "retry", &s->retry },
		{ "created_at", &s->created_at },
		{ "reserve_for", &s->reserve_for },
	};
	char name[16];
	ssize_t len = json_decode_string(key, name, sizeof name);

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (len == (ssize_t)strlen(known[i].name) &&
		    strncasecmp(name, known[i].name, (size_t)len) == 0)
			*known[i].flag = true;
}

static struct said
listen_to(const struct json *object)
{
	struct said s = { 0 };
	struct json_walk w = json_walk(object);
	struct json key, value;

	while (json_next_member(&w, &key, &value)) {
		s.anything = true;
		if (value.kind != JSON_NULL)
			note(&s, &key);
	}
	return s;
}

/* A member with what comes before it. */
static int
put_comma(struct buf *out, bool *first)
{
	int r = *first ? 0 : buf_putc(out, ',');

	*first = false;
	return r;
}

static int
put_missing(struct buf *out, const struct said *s, const struct draft *d)
{
	bool first = !s->anything;
	char jid[DRAFT_JID_HEX + 1];
	int r = 0;

	if (!s->jid && (r = draft_jid(jid)) == 0 &&
	    (r = put_comma(out, &first)) == 0)
		r = put_text(out, "jid", jid);
	if (r == 0 && !s->jobtype && d->jobtype != NULL &&
	    (r = put_comma(out, &first)) == 0)
		r = put_text(out, "jobtype", d->jobtype);
	if (r == 0 && !s->queue && (r = put_comma(out, &first)) == 0)
		r = put_text(out, "queue", d->queue);
	if (r == 0 && !s->retry && (r = put_comma(out, &first)) == 0)
		r = buf_printf(out, "\"retry\":%" PRId64, d->retry);
	if (r == 0 && !s->reserve_for && d->reserve_for > 0 &&
	    (r = put_comma(out, &first)) == 0)
		r = buf_printf(out, "\"reserve_for\":%" PRId64, d->reserve_for);
	if (r == 0 && !s->created_at && (r = put_comma(out, &first)) == 0)
		r = put_moment(out, "created_at", d->now);
	return r;
}

int
draft_complete(struct buf *out, const char *line, size_t len,
    const struct draft *d, char **jid, struct err *e)
{
	size_t start = buf_len(out);
	struct json_fault fault;
	struct json object;

	if (json_check(line, len, &object, &fault) < 0)
		return err_set(
		    e, EINVAL, "not JSON: %s at byte %zu", fault.why, fault.at);
	if (object.kind != JSON_OBJECT)
		return err_set(e, EINVAL, "not a JSON object");
	/* It would end the command early. */
	if (memchr(object.text, '\r', object.len) != NULL)
		return err_set(e, EINVAL, "a carriage return between values");

	struct said s = listen_to(&object);
	int r = buf_append(out, object.text, object.len - 1);
	if (r == 0)
		r = put_missing(out, &s, d);
	if (r == 0)
		r = buf_putc(out, '}');
	if (r < 0)
		r = err_set(e, -r, "%s", strerror(-r));
	else
		r = check(buf_front(out) + start, buf_len(out) - start, jid, e);
	if (r < 0)
		buf_cut(out, start);
	return r;
}
