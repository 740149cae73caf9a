/*
 * fuzz_settings - a file is either taken without a word, or refused with at
 * least one message, each a line that begins with the file's name.
 *
 * The first byte chooses the supervisor's file or the server's. Exercises
 * config/document.c, field.c, settings.c and server_settings.c. Seeds:
 * tests/fuzz/corpus/settings/.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/server_settings.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static const char *
lookup(const char *name)
{
	return name[0] == 'A' ? "{args.0}: [value" : NULL;
}

static void
count(void *ctx, const char *message)
{
	must(strncmp(message, "f.yaml:", 7) == 0);
	must(strchr(message, '\n') == NULL);
	++*(size_t *)ctx;
}

static void
check_handler(const struct settings *s, const struct handler *h)
{
	must(h->program[0] == '/' && h->nargv > 0);
	must(template_is_literal(h->argv[0]));
	must(h->grace >= 0 && h->grace <= s->shutdown_grace);
	must(h->timeout >= 0 && h->timeout <= 86400 * CLOCK_NS_PER_S);
	must(h->umask >= 0 && h->umask <= 0777);
	must(h->cwd == NULL || h->cwd[0] == '/');
	must(settings_handler(s, h->jobtype, strlen(h->jobtype)) == h);
	must(h->breaker.failures >= 0 && h->breaker.failures <= 100);
	must(h->breaker.of >= 1 && h->breaker.of <= 1000);
	must(h->breaker.cooldown > 0 &&
	    h->breaker.cooldown <= h->breaker.max_cooldown);
	for (size_t i = 0; i < h->nenv; i++)
		must(!template_spreads(h->env[i].value));
}

static void
supervisor_file(const char *text, size_t len)
{
	size_t told = 0, warned = 0;
	struct settings *s =
	    settings_read("f.yaml", text, len, lookup, count, &told);

	must((s == NULL) == (told > 0));
	if (s == NULL)
		return;
	must(s->concurrency >= 1 && s->concurrency <= 10000);
	must(s->nqueues >= 1 && s->nhandlers >= 1);
	for (size_t i = 0; i < s->nhandlers; i++)
		check_handler(s, &s->handlers[i]);
	must((s->unknown == UNKNOWN_HANDLER) == (s->unknown_handler != NULL));
	for (size_t i = 0; i < s->nqueues; i++)
		must(s->queues[i].concurrency >= 0);
	settings_warnings(s, count, &warned);
	settings_free(s);
}

static void
server_file(const char *text, size_t len)
{
	size_t told = 0;
	struct server_settings *s =
	    server_settings_read("f.yaml", text, len, lookup, count, &told);

	must((s == NULL) == (told > 0));
	if (s != NULL)
		must(s->data[0] == '/' && s->limits.memory >= s->limits.line);
	server_settings_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	/* An exact-size copy lets the sanitizer see one byte too far. */
	size_t len = size - 1;
	char *text = malloc(len > 0 ? len : 1);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, len);
	if (data[0] == 's')
		server_file(text, len);
	else
		supervisor_file(text, len);
	free(text);
	return 0;
}
