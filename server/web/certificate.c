/*
 * certificate - two files, read whole.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/web/certificate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/document.h"

/* NULL with *e set. */
static char *
read_text(const char *file, struct err *e)
{
	size_t len;
	char *bytes = document_load(file, &len, e);

	if (bytes == NULL)
		return NULL;
	char *text = strndup(bytes, len);
	explicit_bzero(bytes, len);
	free(bytes);
	if (text == NULL)
		err_set(e, ENOMEM, "out of memory");
	return text;
}

int
certificate_read(
    struct certificate *c, const struct tls_settings *t, struct err *e)
{
	c->cert = read_text(t->cert, e);
	c->key = c->cert != NULL ? read_text(t->key, e) : NULL;
	if (c->key != NULL)
		return 0;
	certificate_clear(c);
	return -e->code;
}

void
certificate_clear(struct certificate *c)
{
	if (c->key != NULL)
		explicit_bzero(c->key, strlen(c->key));
	free(c->key);
	free(c->cert);
	*c = (struct certificate){ 0 };
}
