/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, RFC 3720), as BEP 40 and BEP 42 use it. */
#ifndef FRESHET_CRYPTO_CRC32C_H
#define FRESHET_CRYPTO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c_of(const void *bytes, size_t length);

#endif
