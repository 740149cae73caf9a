/*
 * secret - a password: as it is, {file: PATH} or {env: NAME}.
 *
 * No message ever shows one.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "config/reader.h"

enum { SECRET_MAX = 4096 };

/*
 * A FIELD_OTHER decoder into a char *. A file must be a regular one; a line
 * end at its end is dropped. An empty secret is a mistake.
 */
void secret_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* What a service manager calls it (systemd's LoadCredential=). */
#define SECRET_CREDENTIAL "faktory-password"

/*
 * The file of that name in $CREDENTIALS_DIRECTORY, for a configuration that
 * names no secret itself. NULL when there is none or it is empty, and when it
 * cannot be read, which is told. The caller frees and wipes it.
 */
char *secret_credential(struct reader *r);

#endif
