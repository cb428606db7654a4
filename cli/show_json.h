/* SPDX-License-Identifier: MIT */
/* What `freshet show --json` prints: one object on one line. Bytes that are not UTF-8 come as the
 * replacement character. */
#ifndef FRESHET_CLI_SHOW_JSON_H
#define FRESHET_CLI_SHOW_JSON_H

#include "core/metainfo/magnet.h"

void show_json_metainfo(const struct metainfo *metainfo);
void show_json_magnet(const struct magnet *magnet);

#endif
