/* SPDX-License-Identifier: MIT */
/* What errno means in the words of core/base/error.h. */
#ifndef FRESHET_HOST_POSIX_ERROR_H
#define FRESHET_HOST_POSIX_ERROR_H

#include "core/base/error.h"

/* Of a file or folder. openat2's EXDEV and ELOOP (a path that leaves its root) are REFUSED. */
enum freshet_error posix_error_of_file(int error_number);
/* Of a socket. */
enum freshet_error posix_error_of_socket(int error_number);

#endif
