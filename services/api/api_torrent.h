/* SPDX-License-Identifier: MIT */
/* One torrent: what it is, its files, peers, trackers and pieces. */
#ifndef FRESHET_API_API_TORRENT_H
#define FRESHET_API_API_TORRENT_H

#include "services/api/api_call.h"

enum service_step api_torrent_step(struct api_call *call, struct api_turn *turn);
void api_torrent_write(struct api_call *call, struct json_writer *json);

void api_torrent_files_prepare(struct api_call *call);
enum service_step api_torrent_files_step(struct api_call *call, struct api_turn *turn);
void api_torrent_files_write(struct api_call *call, struct json_writer *json);
void api_torrent_files_end(struct api_call *call);

enum service_step api_torrent_pieces_step(struct api_call *call, struct api_turn *turn);
void api_torrent_pieces_write(struct api_call *call, struct json_writer *json);

enum service_step api_torrent_peers_step(struct api_call *call, struct api_turn *turn);
void api_torrent_peers_write(struct api_call *call, struct json_writer *json);

enum service_step api_torrent_trackers_step(struct api_call *call, struct api_turn *turn);
void api_torrent_trackers_write(struct api_call *call, struct json_writer *json);

/* What is in the torrent, asked for by JOB_CONTENT where it is not at hand: SERVICE_DONE with
 * *ret_content filled (metainfo NULL while the metadata are missing), or SERVICE_JOB. A failed call
 * is SERVICE_DONE too. */
enum service_step api_torrent_content(struct api_call *call, struct api_turn *turn,
                                      struct service_content *ret_content);

#endif
