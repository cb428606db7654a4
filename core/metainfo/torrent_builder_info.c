/* SPDX-License-Identifier: MIT */
#include "core/metainfo/torrent_builder_info.h"

#include "core/bencode/bencode_writer.h"

#include <string.h>

/* The path's next element; NULL at its end. */
static const char *next_element(const char *path, struct bytes *ret_element)
{
    if (path == NULL)
        return NULL;
    const char *end = strchr(path, '/');
    size_t length = end ? (size_t)(end - path) : strlen(path);
    *ret_element = (struct bytes){(const uint8_t *)path, length};
    return end ? end + 1 : path + length;
}

static void write_path(const char *path, struct buffer *out)
{
    bencode_writer_list(out);
    while (*path) {
        struct bytes element;
        path = next_element(path, &element);
        bencode_writer_string(out, element);
    }
    bencode_writer_end(out);
}

static void write_attributes(const struct torrent_builder_file *file, struct buffer *out)
{
    char attributes[4] = "";
    size_t count = 0;
    if (file->hidden)
        attributes[count++] = 'h';
    if (file->symlink)
        attributes[count++] = 'l';
    if (file->executable)
        attributes[count++] = 'x';
    if (count == 0)
        return;
    bencode_writer_key(out, "attr");
    bencode_writer_text(out, attributes);
}

static void write_symlink(const struct torrent_builder_file *file, struct buffer *out)
{
    if (file->symlink == NULL)
        return;
    bencode_writer_key(out, "symlink path");
    write_path(file->symlink, out);
}

static void write_padding(uint64_t length, struct buffer *out)
{
    struct buffer name = {0};
    buffer_append_i64(&name, (int64_t)length);
    bencode_writer_key(out, "attr");
    bencode_writer_text(out, "p");
    bencode_writer_key(out, "length");
    bencode_writer_integer(out, (int64_t)length);
    bencode_writer_key(out, "path");
    bencode_writer_list(out);
    bencode_writer_text(out, ".pad");
    bencode_writer_string(out, buffer_bytes(&name));
    bencode_writer_end(out);
    buffer_deinit(&name);
}

static void write_v1_files(const struct torrent_builder_entry *entries, uint32_t entry_count,
                           struct buffer *out)
{
    bencode_writer_key(out, "files");
    bencode_writer_list(out);
    for (uint32_t i = 0; i < entry_count; i++) {
        const struct torrent_builder_entry *entry = &entries[i];
        bencode_writer_dict(out);
        if (entry->file == NULL) {
            write_padding(entry->length, out);
        } else {
            write_attributes(entry->file, out);
            bencode_writer_key(out, "length");
            bencode_writer_integer(out, (int64_t)entry->length);
            bencode_writer_key(out, "path");
            write_path(entry->path, out);
            write_symlink(entry->file, out);
        }
        bencode_writer_end(out);
    }
    bencode_writer_end(out);
}

static void write_v2_file(const struct torrent_builder_entry *entry, struct buffer *out)
{
    bencode_writer_key(out, "");
    bencode_writer_dict(out);
    write_attributes(entry->file, out);
    bencode_writer_key(out, "length");
    bencode_writer_integer(out, (int64_t)entry->length);
    if (entry->length) {
        bencode_writer_key(out, "pieces root");
        bencode_writer_string(out, (struct bytes){entry->root, MERKLE_HASH});
    }
    write_symlink(entry->file, out);
    bencode_writer_end(out);
}

/* How many folders two paths share from the root, and where their rest begins. */
static uint32_t shared_folders(const char *before, const char *path, size_t *ret_rest)
{
    uint32_t folders = 0;
    *ret_rest = 0;
    for (size_t i = 0; before[i] && before[i] == path[i]; i++) {
        if (path[i] != '/')
            continue;
        folders++;
        *ret_rest = i + 1;
    }
    return folders;
}

static uint32_t folders_of(const char *path)
{
    uint32_t folders = 0;
    for (; *path; path++)
        folders += *path == '/';
    return folders;
}

/* Files are sorted, so a folder is opened when its first file comes and closed behind its last. */
static void write_tree(const struct torrent_builder_entry *entries, uint32_t entry_count,
                       struct buffer *out)
{
    const char *before = "";
    bencode_writer_key(out, "file tree");
    bencode_writer_dict(out);
    for (uint32_t i = 0; i < entry_count; i++) {
        const struct torrent_builder_entry *entry = &entries[i];
        if (entry->file == NULL)
            continue;
        size_t rest;
        uint32_t shared = shared_folders(before, entry->path, &rest);
        for (uint32_t open = folders_of(before); open > shared; open--)
            bencode_writer_end(out);
        for (const char *path = entry->path + rest; *path;) {
            struct bytes element;
            path = next_element(path, &element);
            bencode_writer_string(out, element);
            bencode_writer_dict(out);
        }
        write_v2_file(entry, out);
        bencode_writer_end(out);
        before = entry->path;
    }
    for (uint32_t open = folders_of(before); open > 0; open--)
        bencode_writer_end(out);
    bencode_writer_end(out);
}

void torrent_builder_info_write(const struct torrent_builder_options *options,
                                const struct torrent_builder_entry *entries, uint32_t entry_count,
                                struct bytes pieces, struct buffer *out)
{
    bencode_writer_dict(out);
    if (options->has_v1 && options->single_file)
        write_attributes(entries[0].file, out);
    if (options->has_v2)
        write_tree(entries, entry_count, out);
    if (options->has_v1 && !options->single_file)
        write_v1_files(entries, entry_count, out);
    if (options->has_v1 && options->single_file) {
        bencode_writer_key(out, "length");
        bencode_writer_integer(out, (int64_t)entries[0].length);
    }
    if (options->has_v2) {
        bencode_writer_key(out, "meta version");
        bencode_writer_integer(out, 2);
    }
    bencode_writer_key(out, "name");
    bencode_writer_text(out, options->name);
    bencode_writer_key(out, "piece length");
    bencode_writer_integer(out, options->piece_length);
    if (options->has_v1) {
        bencode_writer_key(out, "pieces");
        bencode_writer_string(out, pieces);
    }
    if (options->is_private) {
        bencode_writer_key(out, "private");
        bencode_writer_integer(out, 1);
    }
    if (options->source) {
        bencode_writer_key(out, "source");
        bencode_writer_text(out, options->source);
    }
    bencode_writer_end(out);
}
