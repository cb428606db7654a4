/* SPDX-License-Identifier: MIT */
/* Wishes about torrents that are there: of one by its path, or of many by a list of ids. */
#ifndef FRESHET_API_API_CHANGE_H
#define FRESHET_API_API_CHANGE_H

#include "services/api/api_call.h"

/* The route's action: start, stop, recheck, reannounce, move, rename, queue, remove, set; and
   labels, which only tells how many of them have each. */
void api_change_prepare(struct api_call *call);
enum service_step api_change_step(struct api_call *call, struct api_turn *turn);
void api_change_write(struct api_call *call, struct json_writer *json);

#endif
