/* SPDX-License-Identifier: MIT */
#include "core/base/utf8.h"

size_t utf8_decode(struct bytes text, uint32_t *ret_code_point)
{
    static const uint32_t least[UTF8_MAX + 1] = {0, 0, 0x80, 0x800, 0x10000};
    if (text.length == 0)
        return 0;
    uint8_t lead = text.data[0];
    if (lead < 0x80) {
        *ret_code_point = lead;
        return 1;
    }
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.length < length)
        return 0;
    uint32_t code_point = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        code_point = code_point << 6 | (text.data[i] & 0x3f);
    }
    if (code_point < least[length] || code_point > 0x10ffff ||
        (code_point >= 0xd800 && code_point <= 0xdfff))
        return 0;
    *ret_code_point = code_point;
    return length;
}

size_t utf8_encode(uint32_t code_point, uint8_t ret_bytes[UTF8_MAX])
{
    if (code_point < 0x80) {
        ret_bytes[0] = (uint8_t)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        ret_bytes[i] = (uint8_t)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    ret_bytes[0] = (uint8_t)((0xf00u >> length) | code_point);
    return length;
}

bool utf8_is_valid(struct bytes text)
{
    while (text.length) {
        uint32_t code_point;
        size_t length = utf8_decode(text, &code_point);
        if (length == 0)
            return false;
        text.data += length;
        text.length -= length;
    }
    return true;
}
