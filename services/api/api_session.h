/* SPDX-License-Identifier: MIT */
/* What holds for all torrents: settings, statistics, room on the disk. */
#ifndef FRESHET_API_API_SESSION_H
#define FRESHET_API_API_SESSION_H

#include "services/api/api_call.h"

void api_session_settings_prepare(struct api_call *call);
enum service_step api_session_settings_step(struct api_call *call, struct api_turn *turn);
void api_session_settings_write(struct api_call *call, struct json_writer *json);
void api_session_settings_end(struct api_call *call);

enum service_step api_session_stats_step(struct api_call *call, struct api_turn *turn);
void api_session_stats_write(struct api_call *call, struct json_writer *json);

/* Fetches the list of the settings' URL anew. */
enum service_step api_session_blocklist_step(struct api_call *call, struct api_turn *turn);
void api_session_blocklist_write(struct api_call *call, struct json_writer *json);

void api_session_space_prepare(struct api_call *call);
enum service_step api_session_space_step(struct api_call *call, struct api_turn *turn);
void api_session_space_write(struct api_call *call, struct json_writer *json);

#endif
