/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define WIDTH_DEFAULT 80
#define WIDTH_MIN     20
#define WIDTH_MAX     1000

void terminal_init(void)
{
    /* Numbers keep their C form, or JSON and decimal points would follow the locale. */
    setlocale(LC_CTYPE, "");
}

bool terminal_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool terminal_is_interactive(int descriptor)
{
    return isatty(descriptor) == 1;
}

bool terminal_can_redraw(int descriptor)
{
    const char *term = getenv("TERM");
    return terminal_is_interactive(descriptor) && term && *term && strcmp(term, "dumb") != 0;
}

bool terminal_has_colour(int descriptor)
{
    const char *no_colour = getenv("NO_COLOR");
    return terminal_can_redraw(descriptor) && !(no_colour && *no_colour);
}

int terminal_width(int descriptor)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    struct winsize size;
    if (width <= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        width = WIDTH_DEFAULT;
    if (width < WIDTH_MIN)
        width = WIDTH_MIN;
    return width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

/* Length of the well-formed UTF-8 character at text and its code point; 0 when it is malformed. */
static size_t character_at(const char *text, uint32_t *ret_code)
{
    const unsigned char *at = (const unsigned char *)text;
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80             ? 1
                    : (at[0] & 0xe0) == 0xc0 ? 2
                    : (at[0] & 0xf0) == 0xe0 ? 3
                    : (at[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (length == 0)
        return 0;
    uint32_t code = length == 1 ? at[0] : at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return length;
}

static bool is_dangerous(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff;
}

const char *terminal_safe_text(const char *text, char *safe, size_t size)
{
    bool utf8 = terminal_is_utf8();
    size_t used = 0;
    while (*text && used + 1 < size) {
        uint32_t code = 0;
        size_t length = character_at(text, &code);
        size_t step = length ? length : 1;
        if (length == 0 || is_dangerous(code) || (code > 0x7e && !utf8)) {
            safe[used++] = '?';
        } else {
            if (used + length + 1 > size)
                break;
            memcpy(safe + used, text, length);
            used += length;
        }
        text += step;
    }
    if (size > 0)
        safe[used] = '\0';
    return safe;
}

int terminal_text_width(const char *text)
{
    int width = 0;
    while (*text) {
        uint32_t code = 0;
        size_t length = character_at(text, &code);
        int columns = length ? wcwidth((wchar_t)code) : 1;
        width += columns < 0 ? 1 : columns;
        text += length ? length : 1;
    }
    return width;
}
