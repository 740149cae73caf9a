/*
 * credential - the password that servers are shown, read anew when one of
 * them does not accept it.
 *
 * So a password can be changed without a restart: the next conversation that
 * is refused finds the new one where the old one was read. At most one look a
 * second, however many conversations are refused.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CREDENTIAL_H
#define SUPERVISOR_CREDENTIAL_H

#include <stdbool.h>

struct credential;

/* Without a password. Returns NULL when memory is short. */
struct credential *credential_new(void);

/* Wipes it. Accepts NULL. */
void credential_free(struct credential *c);

/*
 * What a reading of the configuration says; both copied. text NULL: no
 * password; file NULL: it was not read from one. Returns 0; -ENOMEM and
 * nothing has changed.
 */
int credential_set(struct credential *c, const char *text, const char *file);

/* NULL: none. Borrowed until the next credential_set() or credential_renew(). */
const char *credential_text(const struct credential *c);

/* Another one for each other text. Accepts NULL. */
unsigned credential_number(const struct credential *c);

/*
 * The text of this number was refused. Looks into the file, unless somebody
 * has since; returns whether there is another text now. Accepts NULL.
 */
bool credential_renew(struct credential *c, unsigned refused);

#endif
