/*
 * secret - a password: as it is, {file: PATH}, {env: NAME} or
 * {credential: NAME}.
 *
 * No message ever shows one.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include <stdbool.h>

#include "config/reader.h"

enum { SECRET_MAX = 4096 };

#define SECRET_EXPECTED "text, {file: PATH}, {env: NAME} or {credential: NAME}"

/*
 * A FIELD_OTHER decoder into a char *. A file must be a regular one; a line
 * end at its end is dropped. An empty secret is a mistake.
 */
void secret_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/*
 * Whether it stands for one in a credential that a check cannot see
 * (credentials_lookup()). Such a text is no password.
 */
bool secret_is_unseen(const char *text);

/* What a service manager calls it (systemd's LoadCredential=). */
#define SECRET_CREDENTIAL "faktory-password"

/*
 * The file of that name in $CREDENTIALS_DIRECTORY, for a configuration that
 * names no secret itself. NULL when there is none or it is empty, and when it
 * cannot be read, which is told. The caller frees and wipes it.
 */
char *secret_credential(struct reader *r);

/*
 * The same for a program without a configuration: *text is NULL for none.
 * lookup gives environment variables. Returns 0, or a negative errno with *e
 * set. The caller frees and wipes *text.
 */
int secret_find(
    const char *(*lookup)(const char *name), char **text, struct err *e);

/*
 * The file that a secret was read from, so that it can be read again: of a
 * node that secret_decode() has taken; or, for NULL, secret_credential()'s.
 * NULL: it was no file. Owned: free().
 */
char *secret_file(struct reader *r, const struct node *n);

/*
 * What a file of a secret holds, without a line end at its end. NULL with *e
 * set; its code is ENODATA for an empty file. The caller frees and wipes it.
 */
char *secret_read(const char *file, struct err *e);

#endif
