/*
 * fuzz_hello - a handshake that was understood is understood again when we
 * write it, and means the same.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "protocol/hello.h"
#include "tests/fuzz/must.h"

static bool
same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static void
greeting_comes_back(const char *text, size_t size)
{
	struct err e = { .code = 0 };
	struct greeting g, again;

	if (greeting_parse(text, size, &g, &e) < 0) {
		must(e.code != 0 && e.text[0] != '\0');
		return;
	}
	must(g.rounds <= HELLO_ROUNDS_MAX);

	struct buf *b = buf_new(1000);
	must(b != NULL && greeting_put(b, &g) == 0);
	/* Between the '+' and the line end. */
	must(greeting_parse(buf_front(b) + 1, buf_len(b) - 3, &again, &e) == 0);
	must(again.version == g.version && again.rounds == g.rounds);
	must(strcmp(again.salt, g.salt) == 0);
	must(again.extensions == g.extensions);
	buf_free(b);
}

static void
same_hello(const struct hello *a, const struct hello *b)
{
	must(same(a->wid, b->wid) && same(a->hostname, b->hostname));
	must(same(a->username, b->username));
	must(b->pid == (a->pid > 0 ? a->pid : 0));
	must(b->rss_kb == (a->rss_kb > 0 ? a->rss_kb : 0));
	must(a->nlabels == b->nlabels);
	for (size_t i = 0; i < a->nlabels; i++)
		must(same(a->labels[i], b->labels[i]));
}

static void
hello_comes_back(const char *text, size_t size)
{
	struct greeting asking = { HELLO_VERSION, 3, "5f", 0 };
	struct err e = { .code = 0 };
	struct hello h, again;

	if (hello_parse(text, size, &h, &e) < 0) {
		must(e.code != 0 && e.text[0] != '\0');
		return;
	}
	asking.extensions = h.extensions;
	struct buf *b = buf_new(6 * size + 1000);
	must(b != NULL && hello_put(b, &h, &asking, "secret") == 0);
	must(memcmp(buf_front(b), "HELLO {", 7) == 0);
	must(memchr(buf_front(b), '\n', buf_len(b) - 1) == NULL);
	must(hello_parse(buf_front(b) + 6, buf_len(b) - 8, &again, &e) == 0);
	same_hello(&h, &again);
	must(again.version == HELLO_VERSION);
	must(again.extensions == h.extensions);
	must(password_proved(&again, &asking, "secret"));
	must(!password_proved(&again, &asking, "public"));
	hello_clear(&again);
	hello_clear(&h);
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	greeting_comes_back((const char *)data, size);
	hello_comes_back((const char *)data, size);
	return 0;
}
