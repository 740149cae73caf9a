/*
 * crc32 - the usual checksum (reflected 0x04c11db7), against bytes that were
 * torn or have changed; not against people.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const char *bytes, size_t len);

#endif
