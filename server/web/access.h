/*
 * access - who may see a page: HTTP Basic, any user name, one password.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WEB_ACCESS_H
#define SERVER_WEB_ACCESS_H

#include <microhttpd.h>

enum access { ACCESS_GRANTED, ACCESS_UNASKED, ACCESS_WRONG };

/*
 * What a request may. password: NULL, nothing is asked for. UNASKED: the
 * request has no password; WRONG: it has another one.
 */
enum access access_of(struct MHD_Connection *c, const char *password);

#endif
