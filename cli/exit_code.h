/* SPDX-License-Identifier: MIT */
/*
 * What the program's exit codes mean; scripts rest on them, so a number never changes its meaning.
 */
#ifndef FRESHET_CLI_EXIT_CODE_H
#define FRESHET_CLI_EXIT_CODE_H

#include "core/base/error.h"

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_OTHER = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_NO_TORRENT = 3, /* no such torrent */
    EXIT_CODE_NETWORK = 4,    /* no peers, tracker or daemon in time */
    EXIT_CODE_DATA = 5,       /* a data check failed */
    EXIT_CODE_DISK = 6,       /* space, permission, I/O */
    EXIT_CODE_UNFINISHED = 7, /* can be resumed */
    EXIT_CODE_BAD_INPUT = 8,  /* bad torrent, magnet or bencode */
    EXIT_CODE_REFUSED = 9,
    EXIT_CODE_COUNT
};

/* The code that an error of the core ends the program with. */
enum exit_code exit_code_from_error(enum freshet_error error);
/* A few words for the manual: "a data check failed". */
const char *exit_code_text(enum exit_code code);

#endif
