/* SPDX-License-Identifier: MIT */
#include "services/intake/feed_filter.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/metainfo/unicode_fold.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct filter_pattern {
    bool is_regex, is_broken;
    uint32_t too_much; /* titles that cost more than LIMIT_FEED_FILTER_STEPS */
    pcre2_code *regex;
    struct buffer words; /* folded, a NUL behind each */
};

struct feed_filter {
    struct filter_pattern *includes, *excludes;
    uint32_t include_count, exclude_count;
};

/* Folded and decomposed; what is not UTF-8 stays as it is. */
static void fold(struct bytes text, struct buffer *out)
{
    while (text.length > 0) {
        uint32_t code_point, key[UNICODE_FOLD_MAX];
        size_t length = utf8_decode(text, &code_point);
        if (length == 0) {
            buffer_append_u8(out, text.data[0]);
            length = 1;
        } else {
            unsigned count = unicode_fold(code_point, key);
            for (unsigned i = 0; i < count; i++) {
                uint8_t bytes[UTF8_MAX];
                buffer_append(out, bytes, utf8_encode(key[i], bytes));
            }
        }
        text.data += length;
        text.length -= length;
    }
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* ---- expressions ---- */

static bool is_regex(const char *text)
{
    size_t length = strlen(text);

    return length > 2 && text[0] == '/' && text[length - 1] == '/';
}

static enum freshet_error compile(const char *text, char ret_reason[FEED_FILTER_REASON_SIZE],
                                  pcre2_code **ret_regex)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    size_t length = strlen(text) - 2, where;
    int code;

    CHECK(context);
    pcre2_set_parens_nest_limit(context, LIMIT_FEED_FILTER_NESTING);
    *ret_regex = pcre2_compile((PCRE2_SPTR)text + 1, length,
                               PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
                                   PCRE2_NEVER_BACKSLASH_C,
                               &code, &where, context);
    pcre2_compile_context_free(context);
    if (*ret_regex)
        return FRESHET_OK;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)ret_reason, FEED_FILTER_REASON_SIZE);
    return FRESHET_ERROR_SYNTAX;
}

static bool is_text(const char *text, char ret_reason[FEED_FILTER_REASON_SIZE])
{
    if (strlen(text) <= LIMIT_FEED_FILTER_LENGTH && strspn(text, " \t") < strlen(text))
        return true;
    snprintf(ret_reason, FEED_FILTER_REASON_SIZE, "words, or an /expression/, of at most %u bytes",
             LIMIT_FEED_FILTER_LENGTH);
    return false;
}

enum freshet_error feed_filter_judge(const char *text, char ret_reason[FEED_FILTER_REASON_SIZE])
{
    pcre2_code *regex;

    ret_reason[0] = '\0';
    if (!is_text(text, ret_reason))
        return FRESHET_ERROR_LIMIT;
    if (!is_regex(text))
        return FRESHET_OK;
    enum freshet_error error = compile(text, ret_reason, &regex);
    if (!error)
        pcre2_code_free(regex);
    return error;
}

/* ---- filters ---- */

static void pattern_init(struct filter_pattern *pattern, const char *text)
{
    char reason[FEED_FILTER_REASON_SIZE];

    pattern->is_regex = is_regex(text);
    pattern->is_broken =
        !is_text(text, reason) || (pattern->is_regex && compile(text, reason, &pattern->regex));
    if (pattern->is_broken || pattern->is_regex)
        return;
    while (*(text += strspn(text, " \t"))) {
        size_t length = strcspn(text, " \t");
        fold((struct bytes){(const uint8_t *)text, length}, &pattern->words);
        buffer_append_u8(&pattern->words, 0);
        text += length;
    }
}

static struct filter_pattern *patterns_new(char *const *texts, uint32_t count)
{
    struct filter_pattern *patterns = memory_new_array(count, sizeof *patterns);

    for (uint32_t i = 0; i < count; i++)
        pattern_init(&patterns[i], texts[i]);
    return patterns;
}

struct feed_filter *feed_filter_new(char *const *includes, uint32_t include_count,
                                    char *const *excludes, uint32_t exclude_count)
{
    struct feed_filter *filter = memory_new(sizeof *filter);

    filter->includes = patterns_new(includes, include_count);
    filter->include_count = include_count;
    filter->excludes = patterns_new(excludes, exclude_count);
    filter->exclude_count = exclude_count;
    return filter;
}

static void patterns_free(struct filter_pattern *patterns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        pcre2_code_free(patterns[i].regex);
        buffer_deinit(&patterns[i].words);
    }
    memory_free(patterns);
}

void feed_filter_free(struct feed_filter *filter)
{
    if (!filter)
        return;
    patterns_free(filter->includes, filter->include_count);
    patterns_free(filter->excludes, filter->exclude_count);
    memory_free(filter);
}

/* `doubt`: what is said of a title that cost too much to tell. */
static bool search(struct filter_pattern *pattern, const char *title, bool doubt)
{
    if (pattern->too_much == LIMIT_FEED_FILTER_TIRED)
        return doubt;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    CHECK(context && data);
    pcre2_set_match_limit(context, LIMIT_FEED_FILTER_STEPS);
    pcre2_set_heap_limit(context, LIMIT_FEED_FILTER_HEAP_KIB);
    int code = pcre2_match(pattern->regex, (PCRE2_SPTR)title, strlen(title), 0, 0, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (code >= 0 || code == PCRE2_ERROR_NOMATCH)
        return code >= 0;
    pattern->too_much++;
    return doubt;
}

static bool pattern_fits(struct filter_pattern *pattern, const char *title, const char *folded,
                         bool doubt)
{
    const char *word = (const char *)pattern->words.data;

    if (pattern->is_broken)
        return false;
    if (pattern->is_regex)
        return search(pattern, title, doubt);
    for (size_t at = 0; at < pattern->words.length; at += strlen(word + at) + 1)
        if (!strstr(folded, word + at))
            return false;
    return true;
}

static bool any_fits(struct filter_pattern *patterns, uint32_t count, const char *title,
                     const char *folded, bool doubt)
{
    for (uint32_t i = 0; i < count; i++)
        if (pattern_fits(&patterns[i], title, folded, doubt))
            return true;
    return false;
}

bool feed_filter_fits(struct feed_filter *filter, const char *title)
{
    struct buffer folded = {0};

    fold(text_bytes(title), &folded);
    buffer_append_u8(&folded, 0);
    const char *text = (const char *)folded.data;
    bool fits = (filter->include_count == 0 ||
                 any_fits(filter->includes, filter->include_count, title, text, false)) &&
                !any_fits(filter->excludes, filter->exclude_count, title, text, true);
    buffer_deinit(&folded);
    return fits;
}

/* ---- episodes ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One to `most` digits, and none behind them; *at moves behind. */
static bool take_number(const char **at, int least, int most, unsigned *ret_number)
{
    int digits = 0;
    unsigned number = 0;

    while (digits < most && is_digit((*at)[digits]))
        number = number * 10 + (unsigned)((*at)[digits++] - '0');
    if (digits < least || is_digit((*at)[digits]))
        return false;
    *at += digits;
    *ret_number = number;
    return true;
}

/* "S01E02", "s1.e2", "1x02" or a date; the mark is made the same for all of them. */
static bool mark_at(const char *at, char ret_mark[32], const char **ret_end)
{
    unsigned a, b, c;
    const char *start = at;

    if ((*at | 0x20) == 's') {
        at++;
        if (take_number(&at, 1, 2, &a)) {
            at += *at && strchr(" ._-", *at) != NULL;
            if ((*at | 0x20) == 'e') {
                at++;
                if (take_number(&at, 1, 4, &b)) {
                    snprintf(ret_mark, 32, "%u.%u", a, b);
                    *ret_end = at;
                    return true;
                }
            }
        }
    }
    at = start;
    if (take_number(&at, 1, 2, &a) && (*at | 0x20) == 'x') {
        at++;
        if (take_number(&at, 2, 3, &b) && !is_word(*at)) {
            snprintf(ret_mark, 32, "%u.%u", a, b);
            *ret_end = at;
            return true;
        }
    }
    at = start;
    if (take_number(&at, 4, 4, &a) && *at && strchr(" .-_", *at) && is_digit(at[1])) {
        at++;
        if (take_number(&at, 2, 2, &b) && *at && strchr(" .-_", *at) && is_digit(at[1])) {
            at++;
            if (take_number(&at, 2, 2, &c) && a >= 1900 && b >= 1 && b <= 12 && c >= 1 && c <= 31) {
                snprintf(ret_mark, 32, "%u-%u-%u", a, b, c);
                *ret_end = at;
                return true;
            }
        }
    }
    return false;
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
        if ((at == text || !is_word(at[-1])) && !is_word(at[length]))
            return true;
    return false;
}

bool feed_filter_episode(const char *title, struct buffer *ret_key)
{
    char mark[32];
    const char *end, *at = title;

    while (*at && !((at == title || !is_word(at[-1])) && mark_at(at, mark, &end)))
        at++;
    if (!*at)
        return false;
    struct buffer show = {0}, rest = {0};
    fold((struct bytes){(const uint8_t *)title, (size_t)(at - title)}, &show);
    fold(text_bytes(end), &rest);
    buffer_append_u8(&rest, 0);
    for (size_t i = 0; i < show.length; i++) /* letters and digits of the show's name */
        if (is_word((char)show.data[i]) || show.data[i] >= 0x80)
            buffer_append_u8(ret_key, show.data[i]);
    buffer_append_text(ret_key, " ");
    buffer_append_text(ret_key, mark);
    const char *words = (const char *)rest.data;
    if (has_word(words, "proper") || has_word(words, "repack"))
        buffer_append_text(ret_key, " proper");
    buffer_deinit(&show);
    buffer_deinit(&rest);
    return true;
}
