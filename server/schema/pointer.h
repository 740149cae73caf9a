/*
 * pointer - JSON Pointers (RFC 6901): where a value stands in a document.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SCHEMA_POINTER_H
#define SERVER_SCHEMA_POINTER_H

#include <stddef.h>

#include "base/json.h"

/* Longer ones are cut at the end, between characters. */
enum { POINTER_SHOWN_MAX = 256 };

/*
 * The value that a pointer leads to from root; kind JSON_NONE: nowhere, or it
 * is no pointer. "" is root itself. ~ and / in names are ~0 and ~1.
 */
struct json
pointer_find(const struct json *root, const char *pointer, size_t len);

/* Puts "/name", escaped, behind what stands in out; or "/3". */
void pointer_add_name(char out[POINTER_SHOWN_MAX], const struct json *name);
void pointer_add_index(char out[POINTER_SHOWN_MAX], size_t index);

/* The pointer to a value that lies within root. "" when it does not. */
void pointer_to(const struct json *root, const struct json *inner,
    char out[POINTER_SHOWN_MAX]);

#endif
