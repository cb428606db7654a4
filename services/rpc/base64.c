/* SPDX-License-Identifier: MIT */
#include "services/rpc/base64.h"

#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct bytes bytes, struct buffer *out)
{
    for (size_t at = 0; at < bytes.length; at += 3) {
        size_t left = bytes.length - at;
        uint32_t three = (uint32_t)bytes.data[at] << 16;
        three |= left > 1 ? (uint32_t)bytes.data[at + 1] << 8 : 0;
        three |= left > 2 ? bytes.data[at + 2] : 0;
        char four[4] = {DIGITS[three >> 18], DIGITS[three >> 12 & 63],
                        left > 1 ? DIGITS[three >> 6 & 63] : '=',
                        left > 2 ? DIGITS[three & 63] : '='};
        buffer_append(out, four, sizeof four);
    }
}

static int digit_value(uint8_t character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    return character == '+' ? 62 : character == '/' ? 63 : -1;
}

static bool is_blank(uint8_t character)
{
    return character == '\n' || character == '\r' || character == ' ' || character == '\t';
}

bool base64_decode(struct bytes text, struct buffer *out)
{
    uint32_t bits = 0, held = 0, digits = 0, padding = 0;
    for (size_t at = 0; at < text.length; at++) {
        uint8_t character = text.data[at];
        if (is_blank(character))
            continue;
        if (character == '=') {
            padding++;
            continue;
        }
        int value = digit_value(character);
        if (value < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        digits++;
        if (held >= 8) {
            held -= 8;
            buffer_append_u8(out, (uint8_t)(bits >> held));
        }
    }
    /* One digit alone is no byte, and padding fills up to four digits or is not there. */
    return digits % 4 != 1 && (padding == 0 || (digits % 4 != 0 && digits % 4 + padding == 4));
}
