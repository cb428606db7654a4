/* SPDX-License-Identifier: MIT */
#include "core/base/error.h"

const char *error_text(enum freshet_error error)
{
    switch (error) {
    case FRESHET_OK: return "no error";
    case FRESHET_ERROR_TRUNCATED: return "ended too early";
    case FRESHET_ERROR_SYNTAX: return "not well formed";
    case FRESHET_ERROR_RANGE: return "a number is out of range";
    case FRESHET_ERROR_LIMIT: return "over a limit";
    case FRESHET_ERROR_MISSING: return "a required part is missing";
    case FRESHET_ERROR_CONFLICT: return "its parts contradict each other";
    case FRESHET_ERROR_UNSUPPORTED: return "a version that is not supported";
    case FRESHET_ERROR_HASH: return "does not match its hash";
    case FRESHET_ERROR_PROTOCOL: return "broke the protocol";
    case FRESHET_ERROR_REFUSED: return "refused";
    case FRESHET_ERROR_TIMEOUT: return "timed out";
    case FRESHET_ERROR_CONNECTION: return "connection failed";
    case FRESHET_ERROR_CLOSED: return "closed by the other side";
    case FRESHET_ERROR_RESOLVE: return "the name has no address";
    case FRESHET_ERROR_HTTP: return "the HTTP server answered with an error";
    case FRESHET_ERROR_CERTIFICATE: return "the server's certificate is not trusted";
    case FRESHET_ERROR_MEMORY: return "out of memory";
    case FRESHET_ERROR_NO_SPACE: return "no space left on the disk";
    case FRESHET_ERROR_IO: return "the disk failed to read or write";
    case FRESHET_ERROR_PERMISSION: return "permission denied";
    case FRESHET_ERROR_NOT_FOUND: return "not found";
    case FRESHET_ERROR_EXISTS: return "already exists";
    case FRESHET_ERROR_ABSENT: return "the storage is not there (unmounted?)";
    case FRESHET_ERROR_BUSY: return "in use by another process";
    case FRESHET_ERROR_CANCELLED: return "cancelled";
    case FRESHET_ERROR_USAGE: return "arguments that make no sense together";
    case FRESHET_ERROR_COUNT: break;
    }
    return "unknown error";
}
