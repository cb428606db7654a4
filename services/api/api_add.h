/* SPDX-License-Identifier: MIT */
/* New torrents: looked into before they are added, and added. */
#ifndef FRESHET_API_API_ADD_H
#define FRESHET_API_API_ADD_H

#include "services/api/api_call.h"

void api_add_prepare(struct api_call *call);
enum service_step api_add_step(struct api_call *call, struct api_turn *turn);
void api_add_write(struct api_call *call, struct json_writer *json);
void api_add_end(struct api_call *call);

/* What a .torrent or a magnet link holds, without adding it. */
enum service_step api_add_inspect_step(struct api_call *call, struct api_turn *turn);
void api_add_inspect_write(struct api_call *call, struct json_writer *json);

#endif
