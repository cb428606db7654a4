/* SPDX-License-Identifier: MIT */
/*
 * Structs that a person may set, as JSON: one table says which member has which name, and both
 * directions follow from it.
 */
#ifndef FRESHET_API_API_FIELDS_H
#define FRESHET_API_API_FIELDS_H

#include "services/api/api_call.h"

enum api_field_type {
    API_FIELD_BOOL,
    API_FIELD_U8,
    API_FIELD_U16,
    API_FIELD_U32,
    API_FIELD_U64,
    API_FIELD_I8,
    API_FIELD_REAL,
    API_FIELD_TEXT,       /* char *; NULL is "" */
    API_FIELD_FOLDER,     /* the same, judged by api_folder_allowed */
    API_FIELD_LINK,       /* the same: http, https or "" */
    API_FIELD_TRACKERS,   /* char **, and its count at `more` */
    API_FIELD_GOAL,       /* enum catalog_goal_mode */
    API_FIELD_ENCRYPTION, /* uint32_t, an enum encryption */
    API_FIELD_TRANSPORT,  /* enum transport */
    API_FIELD_SECONDS,    /* int64_t; -1 is null */
};

struct api_field {
    const char *name;
    enum api_field_type type;
    size_t offset;
    int64_t min, max; /* of numbers; of texts, `max` bytes */
    size_t more;
};

extern const struct api_field api_fields_wishes[];   /* of struct catalog_wishes */
extern const struct api_field api_fields_settings[]; /* of struct catalog_settings */

/* Tables end with a NULL name. */
void api_fields_write(const struct api_field *fields, const void *from, struct json_writer *json);
/* Sets what the body names and leaves the rest; what is there already is taken whatever it is, so
 * that all that is told may be sent back. Fails the call at the first value that will not
 * do, and what stands before it is set. Texts are on the heap, and the old ones freed. With
 * `catalog` folders are judged too. */
void api_fields_read(const struct api_field *fields, struct api_call *call, json_t *body,
                     const struct catalog *catalog, void *to);
/* Is the name in the table? */
bool api_fields_have(const struct api_field *fields, const char *name);

#endif
