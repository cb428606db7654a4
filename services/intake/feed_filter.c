/* SPDX-License-Identifier: MIT */
#include "services/intake/feed_filter.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/metainfo/unicode_fold.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS_MAX 1000u /* of all {m,n} of an expression, multiplied */

struct filter_pattern {
    bool is_regex, is_broken;
    regex_t regex;
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

/* The larger number of what stands behind '{'; 1 when it is none. */
static uint64_t repeats_at(const char *at)
{
    uint64_t number = 0, largest = 1;

    for (; *at && *at != '}'; at++) {
        if (*at >= '0' && *at <= '9')
            number = number * 10 + (uint64_t)(*at - '0');
        else
            number = 0;
        if (number > REPEATS_MAX)
            return number;
        if (number > largest)
            largest = number;
    }
    return largest;
}

static const char *what_is_wrong(const char *text)
{
    uint64_t repeats = 1;

    for (const char *at = text; *at; at++) {
        if (at[0] == '\\') {
            if (at[1] >= '1' && at[1] <= '9')
                return "no back references";
            at += at[1] != '\0';
        } else if (at[0] == '{') {
            repeats *= repeats_at(at + 1);
            if (repeats > REPEATS_MAX)
                return "repeats too much";
        }
    }
    return NULL;
}

static enum freshet_error compile(const char *text, char ret_reason[FEED_FILTER_REASON_SIZE],
                                  regex_t *ret_regex)
{
    char *inner = memory_copy(text + 1, strlen(text) - 1);
    inner[strlen(text) - 2] = '\0';
    const char *wrong = what_is_wrong(inner);
    enum freshet_error error = FRESHET_OK;

    if (wrong) {
        snprintf(ret_reason, FEED_FILTER_REASON_SIZE, "%s", wrong);
        error = FRESHET_ERROR_LIMIT;
    } else {
        int code = regcomp(ret_regex, inner, REG_EXTENDED | REG_ICASE | REG_NOSUB);
        if (code != 0) {
            regerror(code, ret_regex, ret_reason, FEED_FILTER_REASON_SIZE);
            error = FRESHET_ERROR_SYNTAX;
        }
    }
    memory_free(inner);
    return error;
}

enum freshet_error feed_filter_judge(const char *text, char ret_reason[FEED_FILTER_REASON_SIZE])
{
    regex_t regex;

    ret_reason[0] = '\0';
    if (strlen(text) > LIMIT_FEED_FILTER_LENGTH || strspn(text, " \t") == strlen(text)) {
        snprintf(ret_reason, FEED_FILTER_REASON_SIZE,
                 "words, or an /expression/, of at most %u bytes", LIMIT_FEED_FILTER_LENGTH);
        return FRESHET_ERROR_LIMIT;
    }
    if (!is_regex(text))
        return FRESHET_OK;
    enum freshet_error error = compile(text, ret_reason, &regex);
    if (!error)
        regfree(&regex);
    return error;
}

/* ---- filters ---- */

static void pattern_init(struct filter_pattern *pattern, const char *text)
{
    char reason[FEED_FILTER_REASON_SIZE];

    pattern->is_regex = is_regex(text);
    pattern->is_broken = feed_filter_judge(text, reason) != FRESHET_OK;
    if (pattern->is_broken)
        return;
    if (pattern->is_regex) {
        pattern->is_broken = compile(text, reason, &pattern->regex) != FRESHET_OK;
        return;
    }
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
        if (patterns[i].is_regex && !patterns[i].is_broken)
            regfree(&patterns[i].regex);
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

static bool pattern_fits(const struct filter_pattern *pattern, const char *title,
                         const char *folded)
{
    const char *word = (const char *)pattern->words.data;

    if (pattern->is_broken)
        return false;
    if (pattern->is_regex)
        return regexec(&pattern->regex, title, 0, NULL, 0) == 0;
    for (size_t at = 0; at < pattern->words.length; at += strlen(word + at) + 1)
        if (!strstr(folded, word + at))
            return false;
    return true;
}

static bool any_fits(const struct filter_pattern *patterns, uint32_t count, const char *title,
                     const char *folded)
{
    for (uint32_t i = 0; i < count; i++)
        if (pattern_fits(&patterns[i], title, folded))
            return true;
    return false;
}

bool feed_filter_fits(const struct feed_filter *filter, const char *title)
{
    struct buffer folded = {0};

    fold(text_bytes(title), &folded);
    buffer_append_u8(&folded, 0);
    const char *text = (const char *)folded.data;
    bool fits = (filter->include_count == 0 ||
                 any_fits(filter->includes, filter->include_count, title, text)) &&
                !any_fits(filter->excludes, filter->exclude_count, title, text);
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
