/*
 * tls_settings - rows, and a look at the files that they name.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/tls_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/credentials.h"
#include "config/field.h"
#include "config/place.h"
#include "config/settings.h"
#include "config/settings_fields.h"

#define AT(member) offsetof(struct settings, tls.member)

static const struct field_choice switches[] = {
	{ "on", 1 },
	{ "off", 0 },
	{ NULL, 0 },
};

const struct field tls_settings_fields[] = {
	{ .name = "ca",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(ca),
	    .expected = "an absolute path of a PEM file",
	    .help = "The certificates of those who may sign the server's. "
		    "Without it: those whom this system believes." },
	{ .name = "cert",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(cert),
	    .expected = "an absolute path of a PEM file",
	    .help = "This worker's own certificate, and those that signed it, "
		    "for a server that asks for one." },
	{ .name = "key",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(key),
	    .expected = "an absolute path of a PEM file",
	    .help = "The key of `cert`, without a passphrase. Others must not "
		    "be able to read it." },
	{ .name = "verify",
	    .kind = FIELD_BOOL,
	    .offset = AT(verify),
	    .choices = switches,
	    .dflt = "on",
	    .help = "`off`: whoever answers is believed to be the server. "
		    "Anybody on the way can then read jobs and make them up." },
	{ .name = "server_name",
	    .kind = FIELD_TEXT,
	    .offset = AT(server_name),
	    .expected = "a host name or an address",
	    .help = "Whose certificate the server must have. Without it: the "
		    "host of the URL." },
	{ 0 },
};

static void
check_file(struct reader *r, struct mark at, const char *name, const char *file)
{
	char quoted[READER_QUOTED_MAX];
	struct stat st = { 0 };

	if (credentials_are_elsewhere(file))
		return;
	/* Opening a FIFO would wait for a writer. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int failed = fd < 0 || fstat(fd, &st) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	reader_quote(file, quoted);
	if (failed != 0)
		reader_complain(r, at, "tls.%s: %s: %s, expected a PEM file",
		    name, quoted, strerror(failed));
	else if (!S_ISREG(st.st_mode))
		reader_complain(r, at,
		    "tls.%s: %s is not a regular file, expected a PEM file",
		    name, quoted);
}

bool
tls_settings_are_elsewhere(const struct tls_settings *s)
{
	return credentials_are_elsewhere(s->ca) ||
	    credentials_are_elsewhere(s->cert) ||
	    credentials_are_elsewhere(s->key);
}

void
tls_settings_check(
    struct reader *r, const struct node *tls, struct tls_settings *s)
{
	const struct {
		const char *name;
		const char *file;
		struct mark *at;
	} files[] = { { "ca", s->ca, &s->ca_at },
		{ "cert", s->cert, &s->cert_at },
		{ "key", s->key, &s->key_at } };

	if (tls == NULL)
		return;
	s->given = true;
	s->at = tls->at;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		const struct node *n = node_get(tls, files[i].name);

		if (n == NULL || files[i].file == NULL)
			continue;
		*files[i].at = n->at;
		check_file(r, n->at, files[i].name, files[i].file);
	}
	if (s->cert != NULL && node_get(tls, "key") == NULL)
		reader_complain(r, s->cert_at,
		    "tls.cert: there is no tls.key, expected both or neither");
	if (s->key != NULL && node_get(tls, "cert") == NULL)
		reader_complain(r, s->key_at,
		    "tls.key: there is no tls.cert, expected both or neither");
}

void
tls_settings_clear(struct tls_settings *s)
{
	free(s->ca);
	free(s->cert);
	free(s->key);
	free(s->server_name);
}
