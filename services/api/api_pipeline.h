/* SPDX-License-Identifier: MIT */
/* Where pieces are between the wire and the disk: of all torrents, and of one. */
#ifndef FRESHET_API_API_PIPELINE_H
#define FRESHET_API_API_PIPELINE_H

#include "services/api/api_call.h"

enum service_step api_pipeline_step(struct api_call *call, struct api_turn *turn);
void api_pipeline_write(struct api_call *call, struct json_writer *json);
enum service_step api_pipeline_torrent_step(struct api_call *call, struct api_turn *turn);
void api_pipeline_torrent_write(struct api_call *call, struct json_writer *json);

#endif
