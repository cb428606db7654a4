/* SPDX-License-Identifier: MIT */
#include "services/api/api_text.h"

#include "core/base/utf8.h"
#include "core/metainfo/unicode_fold.h"

#include <string.h>

size_t api_text_fold(const char *text, char ret_text[API_TEXT_MAX + 1])
{
    size_t length = strlen(text), out = 0;
    for (size_t at = 0; at < length && out + UTF8_MAX * UNICODE_FOLD_MAX <= API_TEXT_MAX;) {
        uint8_t byte = (uint8_t)text[at];
        if (byte < 0x80) {
            ret_text[out++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 0x20 : byte);
            at++;
            continue;
        }
        uint32_t code_point, key[UNICODE_FOLD_MAX];
        struct bytes rest = {(const uint8_t *)text + at, length - at};
        size_t step = utf8_decode(rest, &code_point);
        if (step == 0) {
            ret_text[out++] = text[at++];
            continue;
        }
        unsigned count = unicode_fold(code_point, key);
        for (unsigned i = 0; i < count; i++)
            out += utf8_encode(key[i], (uint8_t *)ret_text + out);
        at += step;
    }
    ret_text[out] = '\0';
    return out;
}

uint64_t api_text_head(const char *folded)
{
    uint64_t head = 0;
    for (unsigned i = 0; i < 8; i++)
        head = head << 8 | (*folded ? (uint8_t)*folded++ : 0);
    return head;
}
