/* SPDX-License-Identifier: MIT */
#include "cli/exit_code.h"

enum exit_code exit_code_from_error(enum freshet_error error)
{
    switch (error) {
    case FRESHET_OK: return EXIT_CODE_OK;
    case FRESHET_ERROR_TRUNCATED:
    case FRESHET_ERROR_SYNTAX:
    case FRESHET_ERROR_RANGE:
    case FRESHET_ERROR_LIMIT:
    case FRESHET_ERROR_MISSING:
    case FRESHET_ERROR_CONFLICT:
    case FRESHET_ERROR_UNSUPPORTED: return EXIT_CODE_BAD_INPUT;
    case FRESHET_ERROR_HASH: return EXIT_CODE_DATA;
    case FRESHET_ERROR_REFUSED:
    case FRESHET_ERROR_BUSY: return EXIT_CODE_REFUSED;
    case FRESHET_ERROR_PROTOCOL:
    case FRESHET_ERROR_TIMEOUT:
    case FRESHET_ERROR_CONNECTION:
    case FRESHET_ERROR_CLOSED:
    case FRESHET_ERROR_RESOLVE:
    case FRESHET_ERROR_HTTP:
    case FRESHET_ERROR_CERTIFICATE: return EXIT_CODE_NETWORK;
    case FRESHET_ERROR_NO_SPACE:
    case FRESHET_ERROR_IO:
    case FRESHET_ERROR_PERMISSION:
    case FRESHET_ERROR_NOT_FOUND:
    case FRESHET_ERROR_EXISTS:
    case FRESHET_ERROR_ABSENT: return EXIT_CODE_DISK;
    case FRESHET_ERROR_CANCELLED: return EXIT_CODE_UNFINISHED;
    case FRESHET_ERROR_USAGE: return EXIT_CODE_USAGE;
    case FRESHET_ERROR_MEMORY:
    case FRESHET_ERROR_COUNT: break;
    }
    return EXIT_CODE_OTHER;
}

const char *exit_code_text(enum exit_code code)
{
    switch (code) {
    case EXIT_CODE_OK: return "all went well";
    case EXIT_CODE_OTHER: return "something else failed";
    case EXIT_CODE_USAGE: return "the command line makes no sense";
    case EXIT_CODE_NO_TORRENT: return "no such torrent";
    case EXIT_CODE_NETWORK: return "network: no peers, tracker or daemon in time";
    case EXIT_CODE_DATA: return "a data check failed";
    case EXIT_CODE_DISK: return "disk: space, permission, input or output";
    case EXIT_CODE_UNFINISHED: return "unfinished; run it again to go on";
    case EXIT_CODE_BAD_INPUT: return "a bad torrent, magnet link or bencode";
    case EXIT_CODE_REFUSED: return "refused";
    case EXIT_CODE_COUNT: break;
    }
    return "unknown";
}
