/* SPDX-License-Identifier: MIT */
/*
 * The one list of results. Every function that can fail returns one of these; 0 is success.
 * A remote's fault, the machine's fault and the caller's fault are told apart by the value; our own
 * fault is never an error code but a failed CHECK (check.h).
 */
#ifndef FRESHET_BASE_ERROR_H
#define FRESHET_BASE_ERROR_H

enum freshet_error {
    FRESHET_OK = 0,
    /* What came from outside is wrong. */
    FRESHET_ERROR_TRUNCATED,   /* ended before it was complete */
    FRESHET_ERROR_SYNTAX,      /* breaks the grammar of its format */
    FRESHET_ERROR_RANGE,       /* a number out of the range allowed */
    FRESHET_ERROR_LIMIT,       /* larger, deeper or more than a limit of limits.h */
    FRESHET_ERROR_MISSING,     /* a required key or part is absent */
    FRESHET_ERROR_CONFLICT,    /* two parts contradict each other (hybrid halves, duplicates) */
    FRESHET_ERROR_UNSUPPORTED, /* well formed, but of a version that we do not speak */
    FRESHET_ERROR_HASH,        /* bytes do not match their digest */
    FRESHET_ERROR_PROTOCOL,    /* a message that its state does not allow */
    FRESHET_ERROR_REFUSED,     /* the other side or a rule said no */
    /* The network. */
    FRESHET_ERROR_TIMEOUT,
    FRESHET_ERROR_CONNECTION,  /* refused, reset, unreachable */
    FRESHET_ERROR_CLOSED,      /* orderly end of stream */
    FRESHET_ERROR_RESOLVE,     /* no address for a name */
    FRESHET_ERROR_HTTP,        /* an HTTP status that is not success */
    FRESHET_ERROR_CERTIFICATE, /* of a server: nobody whom we trust vouches for it */
    /* The machine. */
    FRESHET_ERROR_MEMORY,
    FRESHET_ERROR_NO_SPACE, /* ENOSPC, EDQUOT */
    FRESHET_ERROR_IO,       /* EIO and what else a disk may say */
    FRESHET_ERROR_PERMISSION,
    FRESHET_ERROR_NOT_FOUND,
    FRESHET_ERROR_EXISTS,
    FRESHET_ERROR_ABSENT, /* storage absent: the root that was there is not mounted */
    FRESHET_ERROR_BUSY,   /* held by another process */
    FRESHET_ERROR_CANCELLED,
    FRESHET_ERROR_USAGE, /* the caller's arguments make no sense */
    FRESHET_ERROR_COUNT
};

/* A few plain words for a person: "ended too early". Never NULL; static storage. */
const char *error_text(enum freshet_error error);

#endif
