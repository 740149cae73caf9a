/*
 * address - "host:port", as a setting.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "config/reader.h"

#define ADDRESS_EXPECTED "host:port, an IPv6 host in brackets"

/* A decoder for FIELD_OTHER rows, into a char *. Port 0 passes. */
void address_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/*
 * What text, as decoded, means without asking anybody. Returns the length of
 * *sa, or 0 when the host is a name and no number.
 */
socklen_t address_numeric(const char *text, struct sockaddr_storage *sa);

/* Whether only this host can reach it. */
bool address_is_loopback(const struct sockaddr_storage *sa);

#endif
