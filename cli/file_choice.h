/* SPDX-License-Identifier: MIT */
/*
 * Which files of a torrent a person wants: by number (-s 1,3-5) or by name (--only GLOB). Numbers
 * count from 1, without padding files, as `--list` shows them.
 */
#ifndef FRESHET_CLI_FILE_CHOICE_H
#define FRESHET_CLI_FILE_CHOICE_H

#include "cli/command.h"
#include "core/metainfo/magnet.h"

/* Priorities for the engine, one a file of the metainfo; NULL when everything is wanted. Says on
 * stderr when nothing fits. The caller frees *ret_priorities with memory_free. */
enum exit_code file_choice_priorities(const struct command_call *call,
                                      const struct metainfo *metainfo, uint8_t **ret_priorities);
/* The same by the link's selection (BEP 53), whose numbers count every file from 0. */
enum exit_code file_choice_of_magnet(const struct magnet *magnet, const struct metainfo *metainfo,
                                     uint8_t **ret_priorities);

#endif
