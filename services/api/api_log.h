/* SPDX-License-Identifier: MIT */
/* The daemon's last lines of log. */
#ifndef FRESHET_API_API_LOG_H
#define FRESHET_API_API_LOG_H

#include "services/api/api_call.h"

void api_log_prepare(struct api_call *call);
enum service_step api_log_step(struct api_call *call, struct api_turn *turn);
void api_log_write(struct api_call *call, struct json_writer *json);

#endif
