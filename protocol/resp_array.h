/*
 * resp_array - several bulk strings in one reply.
 *
 * For protocol/resp.c alone; others walk an array by resp_next().
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_RESP_ARRAY_H
#define PROTOCOL_RESP_ARRAY_H

#include "protocol/resp.h"

/* As resp_decode(); the first byte is '*'. */
enum resp_status resp_array_decode(
    const char *bytes, size_t len, size_t max_bulk, struct resp *out);

#endif
