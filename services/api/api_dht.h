/* SPDX-License-Identifier: MIT */
/* Where the nodes that our DHT knows are in the id space; ids, never addresses. */
#ifndef FRESHET_API_API_DHT_H
#define FRESHET_API_API_DHT_H

#include "services/api/api_call.h"

enum service_step api_dht_step(struct api_call *call, struct api_turn *turn);
void api_dht_write(struct api_call *call, struct json_writer *json);

#endif
