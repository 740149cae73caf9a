/*
 * fuzz_url - an address that was read is the same address when shown, and
 * whatever stands around a password, no message repeats it.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "protocol/url.h"
#include "tests/fuzz/must.h"

static void
shown_is_the_same(const char *text)
{
	char shown[URL_SHOWN_MAX];
	struct err e = { .code = 0 };
	struct url u, again;

	if (url_parse(text, &u, &e) < 0) {
		must(e.code != 0 && e.text[0] != '\0');
		return;
	}
	must(u.host[0] != '\0' && u.port > 0);
	url_show(&u, shown);
	must(url_parse(shown, &again, &e) == 0);
	must(again.tls == u.tls && again.port == u.port);
	must(strcmp(again.host, u.host) == 0);
	must(again.user[0] == '\0' && !again.has_password);
}

/* The secret with fuzzed text on both sides of it, before the last '@'. */
static void
password_stays_secret(const char *text, size_t size)
{
	static const char secret[] = "hunter2secret";
	char *url = malloc(size + 100);
	size_t half = strlen(text) / 2;
	struct err e = { .code = 0 };
	struct url u;

	must(url != NULL);
	if (strstr(text, secret) == NULL) {
		sprintf(url, "tcp://u:%.*s%s%s@h:7419", (int)half, text, secret,
		    text + half);
		if (url_parse(url, &u, &e) == 0) {
			char shown[URL_SHOWN_MAX];

			url_show(&u, shown);
			must(strstr(shown, secret) == NULL);
		} else {
			must(strstr(e.text, secret) == NULL);
		}
	}
	free(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	shown_is_the_same(text);
	password_stays_secret(text, size);
	free(text);
	return 0;
}
