/*
 * url - where the server is: tcp://[user][:password]@host[:port].
 *
 * Messages name a part and never quote it, unless it is a host: what stands
 * in the wrong place may well be the password.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char standard[] = "tcp://localhost:7419";

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
decode_percent(const char *text, size_t len, const char *what,
    char out[URL_PART_MAX + 1], struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = i + 2 < len ? hex(text[i + 2]) : -1;

			c = high < 0 || low < 0 ? 0 : high << 4 | low;
			i += 2;
			if (c == 0)
				return err_set(e, EINVAL,
				    "%s: '%%' must be followed by two "
				    "hexadecimal digits, not 00",
				    what);
		}
		if (n == URL_PART_MAX)
			return err_set(e, EINVAL, "%s: longer than %d bytes",
			    what, URL_PART_MAX);
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return 0;
}

static int
read_userinfo(const char *text, size_t len, struct url *u, struct err *e)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - text) : len;

	int r = decode_percent(text, user_len, "user", u->user, e);
	if (r < 0 || colon == NULL)
		return r;
	u->has_password = true;
	return decode_percent(
	    colon + 1, len - user_len - 1, "password", u->password, e);
}

static int
read_port(const char *text, size_t len, struct url *u, struct err *e)
{
	unsigned port = 0;
	bool ok = len > 0 && len <= 5;

	for (size_t i = 0; ok && i < len; i++) {
		ok = text[i] >= '0' && text[i] <= '9';
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	if (!ok || port == 0 || port > UINT16_MAX)
		return err_set(e, EINVAL,
		    "the port must be a number from 1 to %d", UINT16_MAX);
	u->port = (uint16_t)port;
	return 0;
}

static int
read_host(
    const char *text, size_t len, bool bracketed, struct url *u, struct err *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789.-_";
	/* A zone such as "%eth0" may follow the address. */
	static const char address[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789.:%-_";

	if (len == 0)
		return err_set(e, EINVAL, "there is no host");
	if (len > URL_PART_MAX)
		return err_set(e, EINVAL, "the host is longer than %d bytes",
		    URL_PART_MAX);
	memcpy(u->host, text, len);
	u->host[len] = '\0';
	if (strspn(u->host, bracketed ? address : letters) != len)
		return err_set(
		    e, EINVAL, "the host has a character that no host has");
	if (bracketed && strchr(u->host, ':') == NULL)
		return err_set(e, EINVAL, "'[' and ']' are for IPv6 addresses");
	return 0;
}

/* "host", "host:port", "[address]", "[address]:port". */
static int
read_hostport(const char *text, size_t len, struct url *u, struct err *e)
{
	const char *end = text + len;
	bool bracketed = len > 0 && text[0] == '[';
	const char *host = text + bracketed;
	const char *stop =
	    memchr(host, bracketed ? ']' : ':', (size_t)(end - host));

	if (stop == NULL && bracketed)
		return err_set(e, EINVAL, "'[' has no ']'");
	if (stop == NULL)
		stop = end;
	int r = read_host(host, (size_t)(stop - host), bracketed, u, e);
	if (r < 0)
		return r;
	if (bracketed)
		stop++;
	if (stop == end)
		return 0;
	r = *stop != ':'
	    ? err_set(e, EINVAL, "expected ':' and a port behind the host")
	    : read_port(stop + 1, (size_t)(end - stop) - 1, u, e);
	return r < 0 ? err_wrap(e, bracketed ? "tcp%s://[%s]" : "tcp%s://%s",
			   u->tls ? "+tls" : "", u->host)
		     : 0;
}

static int
read_scheme(const char **at, struct url *u, struct err *e)
{
	if (strncasecmp(*at, "tcp://", 6) == 0) {
		*at += 6;
		return 0;
	}
	if (strncasecmp(*at, "tcp+tls://", 10) == 0) {
		u->tls = true;
		*at += 10;
		return 0;
	}
	return err_set(
	    e, EINVAL, "expected tcp://host:port or tcp+tls://host:port");
}

int
url_parse(const char *text, struct url *u, struct err *e)
{
	struct url read = { .port = URL_PORT_DEFAULT };
	const char *at = text;

	int r = read_scheme(&at, &read, e);
	if (r < 0)
		return r;
	size_t len = strcspn(at, "/?#");
	const char *rest = at + len;
	if (strchr(rest, '@') != NULL)
		return err_set(e, EINVAL,
		    "'/', '?' and '#' in the user or password must be "
		    "written as %%2F, %%3F and %%23");
	if (rest[0] != '\0' && strcmp(rest, "/") != 0)
		return err_set(
		    e, EINVAL, "nothing may follow the host and port");

	const char *mark = memrchr(at, '@', len);
	if (mark != NULL) {
		r = read_userinfo(at, (size_t)(mark - at), &read, e);
		if (r < 0)
			return r;
		len -= (size_t)(mark - at) + 1;
		at = mark + 1;
	}
	r = read_hostport(at, len, &read, e);
	if (r == 0)
		*u = read;
	return r;
}

void
url_show(const struct url *u, char out[URL_SHOWN_MAX])
{
	bool address = strchr(u->host, ':') != NULL;

	snprintf(out, URL_SHOWN_MAX, "tcp%s://%s%s%s:%u", u->tls ? "+tls" : "",
	    address ? "[" : "", u->host, address ? "]" : "", (unsigned)u->port);
}

/* Set and not empty. */
static const char *
setting(const char *(*lookup)(const char *name), const char *name)
{
	const char *value = lookup(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

int
url_from_environment(
    const char *(*lookup)(const char *name), struct url *u, struct err *e)
{
	const char *name = setting(lookup, "FAKTORY_PROVIDER");

	if (name != NULL && strchr(name, ':') != NULL)
		return err_set(e, EINVAL,
		    "FAKTORY_PROVIDER: expected the name of the variable that "
		    "holds the URL, not the URL");
	if (name == NULL)
		name = "FAKTORY_URL";
	else if (setting(lookup, name) == NULL)
		return err_set(e, EINVAL,
		    "FAKTORY_PROVIDER: names %s, which is not set", name);

	const char *text = setting(lookup, name);
	if (url_parse(text != NULL ? text : standard, u, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}
