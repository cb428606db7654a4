/* SPDX-License-Identifier: MIT */
#include "core/swarm/client_name.h"

#include <string.h>

/* Length of the well-formed UTF-8 sequence of a printable character at the front, 0: none. */
static size_t printable_length(const uint8_t *at, size_t left)
{
    if (at[0] >= 0x20 && at[0] < 0x7f)
        return 1;
    size_t length = at[0] >= 0xc2 && at[0] <= 0xdf ? 2 : at[0] >= 0xe1 && at[0] <= 0xec ? 3 : 0;
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    /* U+0080 to U+00A0 are controls, U+00AD is invisible. */
    if (at[0] == 0xc2 && (at[1] <= 0xa0 || at[1] == 0xad))
        return 0;
    /* U+2000 to U+206F hold direction marks and other invisible characters. */
    return length == 3 && at[0] == 0xe2 && at[1] <= 0x81 ? 0 : length;
}

void client_name_read(struct bytes version, char ret_name[CLIENT_NAME_SIZE])
{
    size_t to = 0;
    for (size_t from = 0; from < version.length;) {
        size_t length = printable_length(version.data + from, version.length - from);
        if (to + (length ? length : 1) >= CLIENT_NAME_SIZE)
            break;
        if (length)
            memcpy(ret_name + to, version.data + from, length);
        else
            ret_name[to] = '?';
        to += length ? length : 1;
        from += length ? length : 1;
    }
    ret_name[to] = '\0';
}
