/* SPDX-License-Identifier: MIT */
/* What the host does for a request: room on a disk, the port's test, blocklists, the end. */
#include "services/rpc/transmission_state.h"

#include <string.h>

enum { STAGE_NEW, STAGE_ASKED };

enum service_step transmission_host_close(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice, struct service_job *job)
{
    (void)world;
    (void)slice;
    if (request->stage == STAGE_NEW) {
        request->stage = STAGE_ASKED;
        return transmission_rpc_job(job, JOB_SHUTDOWN, 0, NULL);
    }
    if (job->error)
        transmission_rpc_fail_error(request, job->error, "the daemon goes on", job->error_text);
    return SERVICE_DONE;
}

enum service_step transmission_host_blocklist(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job)
{
    const char *url = catalog_settings(world->catalog)->blocklist_url;
    struct json_writer writer;
    (void)slice;
    if (request->stage == STAGE_NEW && (!url || !url[0])) {
        transmission_rpc_fail(request, FAULT_HTTP, "no blocklist-url is set");
        return SERVICE_DONE;
    }
    if (request->stage == STAGE_NEW) {
        request->stage = STAGE_ASKED;
        return transmission_rpc_job(job, JOB_BLOCKLIST, 0, call_arena_text(&request->arena, url));
    }
    if (job->error) {
        transmission_rpc_fail_error(request, job->error, "the blocklist can't be updated",
                                    job->error_text);
        return SERVICE_DONE;
    }
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_put_u64(&writer, request->is_rpc2 ? "blocklist_size" : "blocklist-size",
                        job->ret_number);
    json_writer_close(&writer, '}');
    return SERVICE_DONE;
}

enum port_state { PORT_CLOSED, PORT_UNKNOWN, PORT_OPEN };

static bool is_listened_on(const struct address *listen, enum address_family family)
{
    if (listen->family == ADDRESS_NONE || address_is_loopback(listen))
        return false;
    /* All of IPv6 is all of IPv4 as well. */
    return listen->family == family ||
           (listen->family == ADDRESS_IPV6 && address_is_unspecified(listen));
}

/* Nobody can see the world's side of his own port. Open is what somebody came through, or what the
 * router says that it forwards from an address of the internet. */
static enum port_state port_state(const struct service_world *world, enum address_family family)
{
    const struct address *external = &world->mapping_external;
    if (!is_listened_on(&world->listen, family))
        return PORT_CLOSED;
    if (family == ADDRESS_IPV4 ? world->reached.ipv4 : world->reached.ipv6)
        return PORT_OPEN;
    bool is_mapped = world->mapping_state && strcmp(world->mapping_state, "held") == 0;
    return is_mapped && external->family == family && !address_is_private(external) &&
                   !address_is_loopback(external)
               ? PORT_OPEN
               : PORT_UNKNOWN;
}

static void answer_port_test(struct transmission_request *request, bool is_open, const char *family)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_put_bool(&writer, request->is_rpc2 ? "port_is_open" : "port-is-open", is_open);
    if (family)
        json_writer_put_text(&writer, "ip_protocol", family);
    json_writer_close(&writer, '}');
}

enum service_step transmission_host_port_test(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job)
{
    static const struct {
        const char *name;
        enum address_family family;
    } families[] = {{"ipv4", ADDRESS_IPV4}, {"ipv6", ADDRESS_IPV6}};
    const char *asked = transmission_arguments_text(request, "ip_protocol");
    enum port_state best = PORT_CLOSED;
    const char *by = asked;
    bool is_known = !asked;
    (void)slice;
    (void)job;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (asked && strcmp(asked, families[i].name) != 0)
            continue;
        is_known = true;
        enum port_state state = port_state(world, families[i].family);
        if (state == PORT_OPEN && best != PORT_OPEN)
            by = families[i].name;
        best = state > best ? state : best;
    }
    if (!is_known)
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "invalid ip protocol: ipv4 or ipv6");
    else if (best == PORT_UNKNOWN)
        transmission_rpc_fail_error(
            request, FRESHET_ERROR_UNSUPPORTED, "the port can't be tested",
            "nobody has come from the internet in this run, no router says that it forwards the "
            "port, and more can't be seen from here");
    else
        answer_port_test(request, best == PORT_OPEN, by);
    return SERVICE_DONE;
}

enum service_step transmission_host_free_space(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job)
{
    const char *folder = transmission_arguments_text(request, "path");
    struct json_writer writer;
    (void)slice;
    if (!folder) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "no path");
        return SERVICE_DONE;
    }
    /* What lies elsewhere is nobody's business who came over the network. */
    if (!transmission_folder_allowed(request, catalog_settings(world->catalog), folder))
        return SERVICE_DONE;
    if (request->stage == STAGE_NEW) {
        request->stage = STAGE_ASKED;
        return transmission_rpc_job(job, JOB_FREE_SPACE, 0, folder);
    }
    if (job->error) {
        transmission_rpc_fail_error(request, job->error, "the room can't be measured",
                                    job->error_text);
        return SERVICE_DONE;
    }
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_put_text(&writer, "path", folder);
    json_writer_put_u64(&writer, request->is_rpc2 ? "size_bytes" : "size-bytes", job->ret_free);
    json_writer_put_u64(&writer, "total_size", job->ret_total);
    json_writer_close(&writer, '}');
    return SERVICE_DONE;
}
