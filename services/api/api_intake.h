/* SPDX-License-Identifier: MIT */
/* What comes by itself: folders that are watched ("watch") and feeds ("feeds"), by the action. */
#ifndef FRESHET_API_API_INTAKE_H
#define FRESHET_API_API_INTAKE_H

#include "services/api/api_call.h"

/* GET: all rules of the kind, and how they fare. */
enum service_step api_intake_list_step(struct api_call *call, struct api_turn *turn);
void api_intake_list_write(struct api_call *call, struct json_writer *json);

/* POST: a rule; one that has its path or URL already is replaced. */
void api_intake_add_prepare(struct api_call *call);
enum service_step api_intake_add_step(struct api_call *call, struct api_turn *turn);
void api_intake_add_write(struct api_call *call, struct json_writer *json);
void api_intake_add_end(struct api_call *call);

/* DELETE, by the path's number. */
enum service_step api_intake_remove_step(struct api_call *call, struct api_turn *turn);
void api_intake_remove_write(struct api_call *call, struct json_writer *json);

/* GET: one feed, and its items. */
enum service_step api_intake_items_step(struct api_call *call, struct api_turn *turn);
void api_intake_items_write(struct api_call *call, struct json_writer *json);

#endif
