/* SPDX-License-Identifier: MIT */
#include "services/takeover/takeover.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 255u

struct takeover *takeover_new(void)
{
    struct takeover *takeover = memory_new(sizeof *takeover);

    takeover->done = -1;
    takeover->wishes = (struct catalog_wishes){.honors_session_limits = true, .seed_time_s = -1};
    return takeover;
}

void takeover_free(struct takeover *takeover)
{
    if (!takeover)
        return;
    memory_free(takeover->folder);
    memory_free(takeover->folder_done);
    memory_free(takeover->magnet);
    memory_free(takeover->priorities);
    for (uint32_t i = 0; i < takeover->label_count; i++)
        memory_free(takeover->labels[i]);
    for (uint32_t i = 0; i < takeover->renamed_count; i++) {
        memory_free(takeover->renamed_paths[i]);
        memory_free(takeover->renamed_names[i]);
    }
    for (uint32_t i = 0; i < takeover->tracker_count; i++)
        memory_free(takeover->trackers[i]);
    memory_free(takeover->renamed_paths);
    memory_free(takeover->renamed_names);
    memory_free(takeover->trackers);
    memory_free(takeover->tiers);
    memory_free(takeover);
}

/* ---- words ---- */

__attribute__((format(printf, 2, 0))) static void say(char text[TAKEOVER_NOTE], const char *format,
                                                      va_list arguments)
{
    vsnprintf(text, TAKEOVER_NOTE, format, arguments);
}

void takeover_note(struct takeover *takeover, const char *format, ...)
{
    va_list arguments;

    if (takeover->note_count == TAKEOVER_NOTES)
        return;
    va_start(arguments, format);
    say(takeover->notes[takeover->note_count++], format, arguments);
    va_end(arguments);
}

void takeover_refuse(struct takeover *takeover, const char *format, ...)
{
    va_list arguments;

    if (takeover->refusal[0])
        return;
    va_start(arguments, format);
    say(takeover->refusal, format, arguments);
    va_end(arguments);
}

/* ---- texts ---- */

char *takeover_text(struct bytes bytes, size_t most)
{
    if (bytes.length == 0 || bytes.length > most || !utf8_is_valid(bytes))
        return NULL;
    for (size_t i = 0; i < bytes.length; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] == 0x7f)
            return NULL;
    char *text = memory_new(bytes.length + 1);
    memcpy(text, bytes.data, bytes.length);
    return text;
}

char *takeover_folder(struct bytes bytes)
{
    if (bytes.length == 0 || bytes.data[0] != '/')
        return NULL;
    while (bytes.length > 1 && bytes.data[bytes.length - 1] == '/')
        bytes.length--;
    return takeover_text(bytes, LIMIT_PATH_LENGTH);
}

void takeover_label(struct takeover *takeover, struct bytes label)
{
    char *text;

    if (label.length == 0)
        return;
    text = takeover_text(label, LABEL_MAX);
    bool fits = text && !strchr(text, ',') && takeover->label_count < TAKEOVER_LABELS;
    if (!fits)
        takeover_note(takeover, "the label '%.60s'", text ? text : "(not readable)");
    for (uint32_t i = 0; fits && i < takeover->label_count; i++)
        fits = strcmp(takeover->labels[i], text) != 0;
    if (fits)
        takeover->labels[takeover->label_count++] = text;
    else
        memory_free(text);
}

uint64_t takeover_number(const struct bencode_value *dict, const char *key)
{
    int64_t number = 0;

    bencode_find_integer(dict, key, &number);
    return number > 0 ? (uint64_t)number : 0;
}

/* ---- trackers ---- */

static void add_tracker(struct takeover *takeover, struct bytes url, uint32_t tier)
{
    char *text = takeover_text(url, LIMIT_URL_LENGTH);

    if (!text || !strstr(text, "://") || strchr(text, ' ') ||
        takeover->tracker_count == TAKEOVER_TRACKERS) {
        memory_free(text);
        takeover_note(takeover, "a tracker that has no readable address");
        return;
    }
    uint32_t count = takeover->tracker_count++;
    if (count == 0) {
        takeover->trackers = memory_new_array(TAKEOVER_TRACKERS, sizeof *takeover->trackers);
        takeover->tiers = memory_new_array(TAKEOVER_TRACKERS, sizeof *takeover->tiers);
    }
    takeover->trackers[count] = text;
    takeover->tiers[count] = tier;
}

void takeover_trackers(struct takeover *takeover, const struct bencode_value *tiers)
{
    struct bencode_iterator each = bencode_iterate(tiers);
    struct bytes url;

    for (uint32_t tier = 0; bencode_iterate_next(&each) && tier < TAKEOVER_TRACKERS; tier++) {
        struct bencode_iterator inner = bencode_iterate(each.value);
        for (uint32_t i = 0; i < TAKEOVER_TRACKERS && bencode_iterate_next(&inner); i++)
            if (bencode_string(inner.value, &url))
                add_tracker(takeover, url, tier);
    }
}

/* ---- files ---- */

int takeover_list_form(const struct metainfo *metainfo, uint32_t entries)
{
    uint32_t count = metainfo->geometry.file_count, padding = 0;

    for (uint32_t i = 0; i < count; i++)
        padding += metainfo->files[i].padding;
    if (entries == count)
        return 0;
    return entries == count - padding ? 1 : -1;
}

void takeover_priorities(struct takeover *takeover, const struct metainfo *metainfo,
                         const struct bencode_value *list, uint8_t (*rank)(int64_t value))
{
    uint32_t count = metainfo->geometry.file_count, file = 0;
    struct bencode_iterator each = bencode_iterate(list);
    int64_t value;

    if (!list || list->count == 0)
        return;
    int form = takeover_list_form(metainfo, list->count);
    if (form < 0) {
        takeover_note(takeover, "which files are wanted (%u are told of, and it has %u)",
                      list->count, count);
        return;
    }
    if (!takeover->priorities) {
#ifdef FRESHET_PLANTED_BUG
        takeover->priorities = memory_new(count - 1);
#else
        takeover->priorities = memory_new(count);
#endif
        takeover->priority_count = count;
        memset(takeover->priorities, CATALOG_PRIORITY_NORMAL, count);
    }
    for (; file < count; file++) {
        if (form == 1 && metainfo->files[file].padding)
            continue;
        if (!bencode_iterate_next(&each))
            break;
        if (!bencode_integer(each.value, &value))
            continue;
        uint8_t priority = rank(value);
        if (priority == CATALOG_PRIORITY_UNWANTED && takeover->priorities[file] &&
            !metainfo->files[file].padding)
            takeover->unwanted++;
        /* What is not wanted stays so, whatever its rank. */
        if (takeover->priorities[file])
            takeover->priorities[file] = priority;
    }
}
