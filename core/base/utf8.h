/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629), strict: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef FRESHET_BASE_UTF8_H
#define FRESHET_BASE_UTF8_H

#include "core/base/bytes.h"

#define UTF8_MAX 4

/* Length of the character that `text` begins with and its code point; 0 when it begins with none
 * (empty, or a byte that is not UTF-8: skip one byte and go on). */
size_t utf8_decode(struct bytes text, uint32_t *ret_code_point);
/* Writes a code point (valid, at most U+10FFFF); returns its length. */
size_t utf8_encode(uint32_t code_point, uint8_t ret_bytes[UTF8_MAX]);
bool utf8_is_valid(struct bytes text);

#endif
