/*
 * tls_settings - certificates that settings name: do the files fit?
 *
 * What is in them is for protocol/tls, which reads them; here they are looked
 * at, so that most mistakes are told with their place.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_TLS_SETTINGS_H
#define CONFIG_TLS_SETTINGS_H

#include <stdbool.h>

#include "config/document.h"

struct node;
struct reader;

struct tls_settings {
	bool given; /* there is a mapping; at is its place */
	struct mark at, ca_at, cert_at, key_at;
	char *ca, *cert, *key; /* absolute; NULL: not given */
	bool verify;           /* of no use to a server, as the next */
	char *server_name;     /* NULL: the host that is dialled */
};

/*
 * Fills the marks and complains of files that cannot be read, and of a
 * certificate or key without the other. tls is the mapping; NULL: none was
 * given.
 */
void tls_settings_check(
    struct reader *r, const struct node *tls, struct tls_settings *s);

/* Whether one of the files is a credential that a check cannot see
 * (config/credentials.h). */
bool tls_settings_are_elsewhere(const struct tls_settings *s);

/* Frees the texts. */
void tls_settings_clear(struct tls_settings *s);

#endif
