/*
 * server_list - one URL, or several in the order in which they are tried.
 *
 * What a URL says is for protocol/url.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SERVER_LIST_H
#define CONFIG_SERVER_LIST_H

#include "config/reader.h"

/* A FIELD_OTHER decoder into a struct settings without servers. */
void server_list_decode(
    struct reader *r, const struct node *n, const char *name, void *settings);

#endif
