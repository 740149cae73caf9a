/*
 * address - its shape, and what a numeric one stands for.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "config/field.h"
#include "config/units.h"

/* host:port with a host and a port from 0 to 65535; IPv6 in brackets. */
static bool
is_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	int64_t port;

	if (colon == NULL || colon == text || colon[1] == '-' ||
	    units_integer(colon + 1, &port) < 0 || port > 65535)
		return false;
	size_t host = (size_t)(colon - text);
	if (text[0] == '[')
		return host > 2 && text[host - 1] == ']';
	return memchr(text, ':', host) == NULL &&
	    strcspn(text, " \t/[]") >= host;
}

void
address_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, ADDRESS_EXPECTED);

	if (text == NULL)
		return;
	if (is_address(text)) {
		field_set_text(to, text);
		return;
	}
	reader_complain(r, n->at, "%s: %s is not an address, expected %s", name,
	    reader_quote(text, quoted), ADDRESS_EXPECTED);
	free(text);
}

socklen_t
address_numeric(const char *text, struct sockaddr_storage *sa)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 24];
	struct addrinfo *found;

	if (colon == NULL)
		return 0;
	size_t len = (size_t)(colon - text);
	if (text[0] == '[' && len > 2) {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof host)
		return 0;
	memcpy(host, text, len);
	host[len] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return 0;
	socklen_t size = found->ai_addrlen;
	memcpy(sa, found->ai_addr, size);
	freeaddrinfo(found);
	return size;
}

bool
address_is_loopback(const struct sockaddr_storage *sa)
{
	if (sa->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	const struct sockaddr_in6 *in6 = (const void *)sa;
	return sa->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}
