/* SPDX-License-Identifier: MIT */
#include "cli/tracker_tiers.h"

#include <string.h>
#include <strings.h>

#include "core/base/limits.h"
#include "core/base/memory.h"

/* Of one of the schemes, and without what no URL holds? */
static bool is_url(const char *url, size_t length, const char *const *schemes, size_t scheme_count)
{
    if (length > LIMIT_URL_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
            return false;
    for (size_t i = 0; i < scheme_count; i++)
        if (length > strlen(schemes[i]) && strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

static bool is_tracker_url(const char *url, size_t length)
{
    static const char *const schemes[] = {"http://", "https://", "udp://", "ws://", "wss://"};
    return is_url(url, length, schemes, sizeof schemes / sizeof schemes[0]);
}

bool tracker_tiers_are_web_seeds(const struct command_call *call, const char *name)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://"};
    size_t count = command_value_count(call, name);
    if (count > LIMIT_WEB_SEEDS_MAX) {
        command_usage_error("more than %u web seeds", LIMIT_WEB_SEEDS_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *url = command_value_at(call, name, i);
        if (!is_url(url, strlen(url), schemes, sizeof schemes / sizeof schemes[0])) {
            command_usage_error("'%s' is no web seed URL (http or https)", url);
            return false;
        }
    }
    return true;
}

static bool add_url(struct tracker_tiers *tiers, const char *url, size_t length, uint32_t tier)
{
    if (!is_tracker_url(url, length)) {
        command_usage_error("'%.*s' is no tracker URL (http, https or udp)", (int)length, url);
        return false;
    }
    if (tiers->count == LIMIT_TRACKERS_MAX) {
        command_usage_error("more than %u trackers", LIMIT_TRACKERS_MAX);
        return false;
    }
    char *copy = memory_new(length + 1);
    memcpy(copy, url, length);
    tiers->urls[tiers->count] = copy;
    tiers->tiers[tiers->count++] = tier;
    return true;
}

bool tracker_tiers_read(struct tracker_tiers *tiers, const struct command_call *call,
                        const char *name)
{
    tiers->count = 0;
    tiers->urls = memory_new_array(LIMIT_TRACKERS_MAX, sizeof tiers->urls[0]);
    tiers->tiers = memory_new_array(LIMIT_TRACKERS_MAX, sizeof tiers->tiers[0]);
    for (size_t i = 0; i < command_value_count(call, name); i++) {
        const char *at = command_value_at(call, name, i);
        for (;;) {
            size_t length = strcspn(at, ",");
            if (!add_url(tiers, at, length, (uint32_t)i))
                return false;
            if (at[length] == '\0')
                break;
            at += length + 1;
        }
    }
    return true;
}

void tracker_tiers_deinit(struct tracker_tiers *tiers)
{
    for (uint32_t i = 0; i < tiers->count; i++)
        memory_free(tiers->urls[i]);
    memory_free(tiers->urls);
    memory_free(tiers->tiers);
    *tiers = (struct tracker_tiers){0};
}
