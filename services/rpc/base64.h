/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, 4): bytes in JSON text. */
#ifndef FRESHET_RPC_BASE64_H
#define FRESHET_RPC_BASE64_H

#include "core/base/bytes.h"

/* Appends the text, padded, without line breaks. */
void base64_encode(struct bytes bytes, struct buffer *out);
/* Appends the bytes. Line breaks and blanks are passed over, padding may be absent; false, with
 * `out` in an undefined state, when the text is anything else. */
bool base64_decode(struct bytes text, struct buffer *out);

#endif
