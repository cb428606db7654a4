/* SPDX-License-Identifier: MIT */
/* group-get and group-set: limits that several torrents share. */
#include "services/catalog/catalog_groups.h"
#include "services/rpc/transmission_state.h"

#include <string.h>

static bool is_asked(json_t *names, const char *name)
{
    if (names == NULL)
        return true;
    if (json_is_string(names))
        return strcmp(json_string_value(names), name) == 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *text = json_string_value(json_array_get(names, i));
        if (text && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

static void write_group(struct json_writer *writer, const struct catalog_group *group, bool is_rpc2)
{
    json_writer_open(writer, '{');
    json_writer_put_bool(writer, is_rpc2 ? "honors_session_limits" : "honorsSessionLimits",
                         group->honors_session_limits);
    json_writer_put_text(writer, "name", group->name);
    json_writer_put_u64(writer, is_rpc2 ? "speed_limit_down" : "speed-limit-down",
                        group->download_limit / 1000);
    json_writer_put_bool(writer, is_rpc2 ? "speed_limit_down_enabled" : "speed-limit-down-enabled",
                         group->download_limited);
    json_writer_put_u64(writer, is_rpc2 ? "speed_limit_up" : "speed-limit-up",
                        group->upload_limit / 1000);
    json_writer_put_bool(writer, is_rpc2 ? "speed_limit_up_enabled" : "speed-limit-up-enabled",
                         group->upload_limited);
    json_writer_close(writer, '}');
}

enum service_step transmission_groups_get(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice, struct service_job *job)
{
    const struct catalog_settings *settings = catalog_settings(world->catalog);
    json_t *names = transmission_arguments_find(request, "group");
    struct json_writer writer;
    struct catalog_group group;
    (void)slice;
    (void)job;
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_key(&writer, "group");
    json_writer_open(&writer, '[');
    for (uint32_t i = 0; i < settings->bandwidth_group_count; i++) {
        catalog_groups_read(settings->bandwidth_groups[i], &group);
        if (is_asked(names, group.name))
            write_group(&writer, &group, request->is_rpc2);
    }
    json_writer_close(&writer, ']');
    json_writer_close(&writer, '}');
    return SERVICE_DONE;
}

enum service_step transmission_groups_set(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice, struct service_job *job)
{
    const char *name = transmission_arguments_text(request, "name");
    struct catalog_group group = {.honors_session_limits = true};
    struct catalog_settings changed;
    (void)slice;
    (void)job;
    if (!name || !name[0]) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "no group name given");
        return SERVICE_DONE;
    }
    catalog_settings_copy(catalog_settings(world->catalog), &changed);
    uint32_t number = catalog_groups_find(&changed, name);
    if (number)
        catalog_groups_read(changed.bandwidth_groups[number - 1], &group);
    group.name = name;
    transmission_arguments_bool(request, "honors_session_limits", &group.honors_session_limits);
    transmission_arguments_bool(request, "speed_limit_down_enabled", &group.download_limited);
    transmission_arguments_bool(request, "speed_limit_up_enabled", &group.upload_limited);
    transmission_arguments_rate(request, "speed_limit_down", &group.download_limit);
    transmission_arguments_rate(request, "speed_limit_up", &group.upload_limit);
    if (!catalog_groups_put(&changed, &group))
        transmission_rpc_fail(request, FAULT_ARGUMENTS,
                              "the name is none, or there are %u groups already",
                              CATALOG_GROUPS_MAX);
    else
        catalog_set_settings(world->catalog, &changed, world->now);
    catalog_settings_deinit(&changed);
    return SERVICE_DONE;
}
