/* SPDX-License-Identifier: MIT */
#include "services/stream/stream_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const types[][2] = {
    {"3gp", "video/3gpp"},  {"aac", "audio/aac"},        {"avi", "video/x-msvideo"},
    {"avif", "image/avif"}, {"bmp", "image/bmp"},        {"flac", "audio/flac"},
    {"gif", "image/gif"},   {"jpeg", "image/jpeg"},      {"jpg", "image/jpeg"},
    {"m2ts", "video/mp2t"}, {"m4a", "audio/mp4"},        {"m4v", "video/mp4"},
    {"mka", "audio/webm"},  {"mkv", "video/x-matroska"}, {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},  {"mp4", "video/mp4"},        {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},  {"oga", "audio/ogg"},        {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},   {"opus", "audio/ogg"},       {"png", "image/png"},
    {"srt", "text/plain"},  {"ts", "video/mp2t"},        {"txt", "text/plain"},
    {"vtt", "text/vtt"},    {"wav", "audio/wav"},        {"webm", "video/webm"},
    {"webp", "image/webp"}, {"weba", "audio/webm"},
};

const char *stream_type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return STREAM_TYPE_OTHER;
}

void stream_type_disposition(const char *name, struct buffer *out)
{
    bool has_type = strcmp(stream_type_of(name), STREAM_TYPE_OTHER) != 0;
    char code[4];

    buffer_append_text(out,
                       has_type ? "inline; filename*=UTF-8''" : "attachment; filename*=UTF-8''");
    for (; *name; name++) {
        unsigned char byte = (unsigned char)*name;
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_';
        snprintf(code, sizeof code, is_plain ? "%c" : "%%%02X", byte);
        buffer_append_text(out, code);
    }
}
