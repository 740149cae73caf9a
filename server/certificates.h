/*
 * certificates - those that the settings name, read for use.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_CERTIFICATES_H
#define SERVER_CERTIFICATES_H

#include "base/err.h"
#include "config/server_settings.h"
#include "protocol/tls.h"

/*
 * For settings with tls. Held once: tls_drop(). Returns NULL with *e set, its
 * code EINVAL, the text with the place of the setting.
 */
struct tls *certificates_read(const struct server_settings *s, struct err *e);

#endif
