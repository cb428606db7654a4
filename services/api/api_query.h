/* SPDX-License-Identifier: MIT */
/* The list: which rows match, in which order, what of it a window shows, and what changed. */
#ifndef FRESHET_API_API_QUERY_H
#define FRESHET_API_API_QUERY_H

#include "services/api/api_call.h"

void api_query_prepare(struct api_call *call);
enum service_step api_query_step(struct api_call *call, struct api_turn *turn);
void api_query_write(struct api_call *call, struct json_writer *json);
void api_query_end(struct api_call *call);

#endif
