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

/* Over which family a connection came through is not told, and so not said. */
enum service_step transmission_host_port_test(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job)
{
    const char *family = transmission_arguments_text(request, "ip_protocol");
    struct json_writer writer;
    (void)world;
    (void)slice;
    if (family && strcmp(family, "ipv4") != 0 && strcmp(family, "ipv6") != 0) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "invalid ip protocol: ipv4 or ipv6");
        return SERVICE_DONE;
    }
    if (request->stage == STAGE_NEW) {
        request->stage = STAGE_ASKED;
        return transmission_rpc_job(job, JOB_PORT_TEST, 0, NULL);
    }
    if (job->error) {
        transmission_rpc_fail_error(request, job->error, "the port can't be tested",
                                    job->error_text);
        return SERVICE_DONE;
    }
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_put_bool(&writer, request->is_rpc2 ? "port_is_open" : "port-is-open",
                         job->ret_flag);
    json_writer_close(&writer, '}');
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
