/*
 * identity - who this process is to the server, the same in every HELLO.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_IDENTITY_H
#define SUPERVISOR_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "protocol/tls.h"
#include "protocol/url.h"
#include "supervisor/credential.h"

enum { IDENTITY_WID_HEX = 32, IDENTITY_HOST_MAX = 255 };

struct identity {
	const struct url *url; /* borrowed, as all pointers */
	const char *password;  /* the URL's, which wins; NULL: it has none */
	struct credential *credential; /* NULL: there is no other */
	struct tls *tls; /* borrowed, NULL: none; for each new conversation */
	char shown[URL_SHOWN_MAX];      /* the URL, for messages */
	char wid[IDENTITY_WID_HEX + 1]; /* random, once per process */
	char hostname[IDENTITY_HOST_MAX + 1];
	int64_t pid;
	char **labels;
	size_t nlabels;
};

/*
 * Returns 0, or a negative errno with *e set when the kernel has no random
 * bytes.
 */
int identity_make(struct identity *who, const struct url *url,
    struct credential *credential, char **labels, size_t nlabels,
    struct err *e);

/* What this server is to be shown; NULL: nothing. As credential_text(). */
const char *identity_password(const struct identity *who);

#endif
