/* SPDX-License-Identifier: MIT */
#include "host/posix_error.h"

#include <errno.h>

enum freshet_error posix_error_of_file(int error_number)
{
    switch (error_number) {
    case 0: return FRESHET_OK;
    case ENOSPC:
    case EDQUOT: return FRESHET_ERROR_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
    case ETXTBSY: return FRESHET_ERROR_PERMISSION;
    case ENOENT:
    case ENOTDIR: return FRESHET_ERROR_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
    case EISDIR: return FRESHET_ERROR_EXISTS;
    case EXDEV:
    case ELOOP: return FRESHET_ERROR_REFUSED;
    case ENOMEM: return FRESHET_ERROR_MEMORY;
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case ENAMETOOLONG: return FRESHET_ERROR_LIMIT;
    case ENODEV:
    case ENXIO:
    case ESTALE: return FRESHET_ERROR_ABSENT;
    default: return FRESHET_ERROR_IO;
    }
}

enum freshet_error posix_error_of_socket(int error_number)
{
    switch (error_number) {
    case 0: return FRESHET_OK;
    case ETIMEDOUT: return FRESHET_ERROR_TIMEOUT;
    case EACCES:
    case EPERM: return FRESHET_ERROR_PERMISSION;
    case EADDRINUSE: return FRESHET_ERROR_BUSY;
    case EMFILE:
    case ENFILE: return FRESHET_ERROR_LIMIT;
    case ENOMEM:
    case ENOBUFS: return FRESHET_ERROR_MEMORY;
    default: return FRESHET_ERROR_CONNECTION;
    }
}
