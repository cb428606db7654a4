/* SPDX-License-Identifier: MIT */
/* What `freshet show` prints for people. */
#ifndef FRESHET_CLI_SHOW_TEXT_H
#define FRESHET_CLI_SHOW_TEXT_H

#include "core/metainfo/magnet.h"

void show_text_metainfo(const struct metainfo *metainfo);
/* "  3  1.2 MiB  folder/name -> target", " *" behind programs; numbered from 1 without padding.
 * priorities: one a file, those of 0 are left out but counted; NULL: all are shown. */
void show_text_files(const struct metainfo *metainfo, const uint8_t *priorities);
void show_text_trackers(const struct metainfo *metainfo);
void show_text_magnet(const struct magnet *magnet);

#endif
