/*
 * credential - the password that servers are shown.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/credential.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/secret.h"

#define LOOK_GAP CLOCK_NS_PER_S

struct credential {
	char *text; /* owned, as file */
	char *file;
	unsigned number;
	bool has_looked;
	int64_t looked_at;
};

static void
forget(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct credential *
credential_new(void)
{
	return calloc(1, sizeof(struct credential));
}

void
credential_free(struct credential *c)
{
	if (c == NULL)
		return;
	forget(c->text);
	free(c->file);
	free(c);
}

int
credential_set(struct credential *c, const char *text, const char *file)
{
	char *new_text = text != NULL ? strdup(text) : NULL;
	char *new_file = file != NULL ? strdup(file) : NULL;

	if ((text != NULL && new_text == NULL) ||
	    (file != NULL && new_file == NULL)) {
		forget(new_text);
		free(new_file);
		return -ENOMEM;
	}
	if (!same(c->text, new_text))
		c->number++;
	forget(c->text);
	free(c->file);
	c->text = new_text;
	c->file = new_file;
	c->has_looked = false;
	return 0;
}

const char *
credential_text(const struct credential *c)
{
	return c->text;
}

unsigned
credential_number(const struct credential *c)
{
	return c != NULL ? c->number : 0;
}

bool
credential_renew(struct credential *c, unsigned refused)
{
	struct err e;

	if (c == NULL || c->file == NULL || c->number != refused)
		return c != NULL && c->number != refused;
	int64_t now = clock_mono();
	if (c->has_looked && now - c->looked_at < LOOK_GAP)
		return false;
	c->has_looked = true;
	c->looked_at = now;
	char *text = secret_read(c->file, &e);
	if (text == NULL) {
		/* Nobody said that there must be one. */
		if (e.code == ENOENT && c->text == NULL)
			return false;
		log_say(LOG_LEVEL_WARNING, "server",
		    "the password cannot be read again: %s", e.text);
		return false;
	}
	if (same(text, c->text)) {
		forget(text);
		return false;
	}
	forget(c->text);
	c->text = text;
	c->number++;
	log_say(
	    LOG_LEVEL_INFO, "server", "%s holds another password now", c->file);
	return true;
}
