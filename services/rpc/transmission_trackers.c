/* SPDX-License-Identifier: MIT */
#include "services/rpc/transmission_trackers.h"

#include "core/tracker/tracker_url.h"

#include <string.h>

bool transmission_trackers_asked(const struct transmission_request *request)
{
    return transmission_trackers_builds_on_old(request) ||
           transmission_arguments_text(request, "tracker_list");
}

bool transmission_trackers_builds_on_old(const struct transmission_request *request)
{
    return !transmission_arguments_text(request, "tracker_list") &&
           (transmission_arguments_find(request, "tracker_add") ||
            transmission_arguments_find(request, "tracker_remove") ||
            transmission_arguments_find(request, "tracker_replace"));
}

static void refuse(struct transmission_request *request, const char *url)
{
    transmission_rpc_fail(request, FAULT_TRACKER_LIST, "Invalid tracker list: %.120s", url);
}

static bool is_there(const struct transmission_trackers *trackers, const char *url)
{
    for (uint32_t i = 0; i < trackers->count; i++)
        if (strcmp(trackers->urls[i], url) == 0)
            return true;
    return false;
}

static void add(struct transmission_request *request, struct transmission_trackers *trackers,
                const char *url, uint32_t tier)
{
    if (!tracker_url_is_good(url) || trackers->count == LIMIT_TRACKERS_MAX) {
        refuse(request, url);
    } else if (!is_there(trackers, url)) {
        trackers->urls[trackers->count] = url;
        trackers->tiers[trackers->count++] = tier;
    }
}

/* Tiers count from 0 without holes, whatever was taken out. */
static void number_tiers(struct transmission_trackers *trackers)
{
    uint32_t tier = 0, before = 0;
    for (uint32_t i = 0; i < trackers->count; i++) {
        uint32_t old = trackers->tiers[i];
        tier += i > 0 && old != before;
        before = old;
        trackers->tiers[i] = tier;
    }
}

static struct bytes trimmed(const char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' '))
        length--;
    while (length > 0 && *line == ' ') {
        line++;
        length--;
    }
    return (struct bytes){(const uint8_t *)line, length};
}

void transmission_trackers_parse(struct transmission_request *request, const char *text,
                                 struct transmission_trackers *ret_trackers)
{
    uint32_t tier = 0;
    ret_trackers->count = 0;
    while (*text && request->fault == FAULT_NONE) {
        size_t length = strcspn(text, "\n");
        struct bytes url = trimmed(text, length);
        if (url.length == 0)
            tier++;
        else
            add(request, ret_trackers, call_arena_bytes(&request->arena, url), tier);
        text += length + (text[length] == '\n');
    }
    number_tiers(ret_trackers);
}

/* Ids are places in the list as torrent-get told it. */
static bool read_id(struct transmission_request *request,
                    const struct transmission_trackers *trackers, json_t *value, uint32_t *ret_id)
{
    int64_t id = json_integer_value(value);
    if (!json_is_integer(value) || id < 0 || id >= trackers->count) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "no tracker has this id");
        return false;
    }
    *ret_id = (uint32_t)id;
    return true;
}

static void replace(struct transmission_request *request, struct transmission_trackers *trackers)
{
    json_t *pairs = transmission_arguments_find(request, "tracker_replace");
    size_t count = json_array_size(pairs);
    for (size_t i = 0; i + 1 < count && request->fault == FAULT_NONE; i += 2) {
        const char *url = json_string_value(json_array_get(pairs, i + 1));
        uint32_t id;
        if (!read_id(request, trackers, json_array_get(pairs, i), &id))
            return;
        if (!url || !tracker_url_is_good(url))
            refuse(request, url ? url : "");
        else
            trackers->urls[id] = url;
    }
}

static void take_out(struct transmission_request *request, struct transmission_trackers *trackers)
{
    json_t *list = transmission_arguments_find(request, "tracker_remove");
    bool gone[LIMIT_TRACKERS_MAX] = {false};
    size_t count = json_is_array(list) ? json_array_size(list) : list != NULL;
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        if (!read_id(request, trackers, json_is_array(list) ? json_array_get(list, i) : list, &id))
            return;
        gone[id] = true;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < trackers->count; i++) {
        if (gone[i])
            continue;
        trackers->urls[kept] = trackers->urls[i];
        trackers->tiers[kept++] = trackers->tiers[i];
    }
    trackers->count = kept;
}

static void append(struct transmission_request *request, struct transmission_trackers *trackers)
{
    json_t *list = transmission_arguments_find(request, "tracker_add");
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && request->fault == FAULT_NONE; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        uint32_t tier = trackers->count ? trackers->tiers[trackers->count - 1] + 1 : 0;
        if (url)
            add(request, trackers, url, tier);
        else
            refuse(request, "");
    }
}

void transmission_trackers_apply(struct transmission_request *request,
                                 struct transmission_trackers *trackers)
{
    const char *list = transmission_arguments_text(request, "tracker_list");
    if (list) {
        transmission_trackers_parse(request, list, trackers);
        return;
    }
    /* Ids are those before the request: replacing moves none, and adding comes last. */
    replace(request, trackers);
    if (request->fault == FAULT_NONE)
        take_out(request, trackers);
    if (request->fault == FAULT_NONE)
        append(request, trackers);
    number_tiers(trackers);
}
