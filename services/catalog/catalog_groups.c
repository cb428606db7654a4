/* SPDX-License-Identifier: MIT */
#include "services/catalog/catalog_groups.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void catalog_groups_read(const char *text, struct catalog_group *ret_group)
{
    struct catalog_group group = {.honors_session_limits = true};
    char *end;

    group.upload_limit = strtoull(text, &end, 10);
    group.download_limit = strtoull(end, &end, 10);
    end += *end == ' ';
    for (; *end && *end != ' '; end++) {
        group.upload_limited |= *end == 'u';
        group.download_limited |= *end == 'd';
        group.honors_session_limits &= *end != 's';
    }
    group.name = end + (*end == ' ');
    *ret_group = group;
}

char *catalog_groups_write(const struct catalog_group *group)
{
    size_t size = strlen(group->name) + 64;
    char *text = memory_new(size);

    snprintf(text, size, "%" PRIu64 " %" PRIu64 " -%s%s%s %s", group->upload_limit,
             group->download_limit, group->upload_limited ? "u" : "",
             group->download_limited ? "d" : "", group->honors_session_limits ? "" : "s",
             group->name);
    return text;
}

uint32_t catalog_groups_find(const struct catalog_settings *settings, const char *name)
{
    struct catalog_group group;

    for (uint32_t i = 0;
         name && name[0] && i < settings->bandwidth_group_count && i < CATALOG_GROUPS_MAX; i++) {
        catalog_groups_read(settings->bandwidth_groups[i], &group);
        if (strcmp(group.name, name) == 0)
            return i + 1;
    }
    return 0;
}

static bool is_name(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    return length > 0 && length <= CATALOG_GROUP_NAME_LENGTH &&
           utf8_is_valid((struct bytes){(const uint8_t *)name, length});
}

bool catalog_groups_put(struct catalog_settings *settings, const struct catalog_group *group)
{
    uint32_t number = catalog_groups_find(settings, group->name);
    uint32_t count = settings->bandwidth_group_count;

    if (!is_name(group->name) || (number == 0 && count == CATALOG_GROUPS_MAX))
        return false;
    if (number == 0) {
        settings->bandwidth_groups = memory_resize_array(settings->bandwidth_groups, count + 1,
                                                         sizeof *settings->bandwidth_groups);
        settings->bandwidth_groups[count] = NULL;
        number = ++settings->bandwidth_group_count;
    }
    char *text = catalog_groups_write(group);
    memory_free(settings->bandwidth_groups[number - 1]);
    settings->bandwidth_groups[number - 1] = text;
    return true;
}
