/* SPDX-License-Identifier: MIT */
#include "services/rpc/service_folder.h"
#include "services/rpc/transmission_state.h"

bool transmission_folder_allowed(struct transmission_request *request,
                                 const struct catalog_settings *settings, const char *folder)
{
    struct service_folder_question question = {.settings = settings,
                                               .folder = folder,
                                               .is_local = request->is_local,
                                               .is_control = request->is_control};
    char why[SERVICE_FOLDER_TEXT];

    if (service_folder_allowed(&question, why))
        return true;
    /* Of a path that is not absolute Transmission says it so. */
    if (folder[0] != '/')
        transmission_rpc_fail(request, FAULT_PATH, "directory path is not absolute");
    else
        transmission_rpc_fail(request, FAULT_PATH, "the folder %s", why);
    return false;
}
