/* SPDX-License-Identifier: MIT */
#include "cli/torrent_create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/folder_walk.h"
#include "cli/hash_progress.h"
#include "cli/message.h"
#include "cli/piece_hasher.h"
#include "core/base/memory.h"
#include "core/metainfo/metainfo_names.h"
#include "core/metainfo/torrent_builder.h"

/* What is to become a torrent, found on the disk. */
struct creation {
    const struct torrent_create_options *options;
    char *name;   /* of the torrent */
    char *folder; /* that holds it */
    bool single_file;
    int root; /* the folder that the files' paths begin in */
    struct folder_walk walk;
    struct torrent_builder *builder;
    const char **paths; /* one for each file of the geometry */
    struct hash_progress progress;
    enum exit_code code; /* of hashing */
};

static enum exit_code fail_errno(const char *path)
{
    int error_number = errno;
    message_error("%s: %s", path, strerror(error_number));
    return error_number == ENOENT || error_number == ENOTDIR ? EXIT_CODE_USAGE : EXIT_CODE_DISK;
}

/* Finds the name and the folder of a path, however it is written ("." and ".." too). */
static enum exit_code find_name(struct creation *creation, const char *path)
{
    char *real = realpath(path, NULL);
    if (real == NULL)
        return fail_errno(path);
    /* A symlink to a folder lends its own name; dots and a trailing slash have none. */
    char *slash = strrchr(real, '/');
    if (slash[1] == '\0') {
        free(real);
        message_error("%s: the root of the file system has no name", path);
        return EXIT_CODE_USAGE;
    }
    creation->name = strdup(slash + 1);
    slash[slash == real] = '\0';
    creation->folder = real;
    return EXIT_CODE_OK;
}

static enum exit_code find_files(struct creation *creation)
{
    const char *path = creation->options->path;
    struct stat stat_of_path;
    enum exit_code code = find_name(creation, path);
    if (code != EXIT_CODE_OK)
        return code;
    if (stat(path, &stat_of_path) != 0)
        return fail_errno(path);
    if (!S_ISDIR(stat_of_path.st_mode) && !S_ISREG(stat_of_path.st_mode)) {
        message_error("%s: neither a file nor a folder", path);
        return EXIT_CODE_USAGE;
    }
    creation->single_file = S_ISREG(stat_of_path.st_mode);
    creation->root =
        open(creation->single_file ? creation->folder : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (creation->root < 0)
        return fail_errno(path);
    if (!creation->single_file) {
        struct folder_walk_options walk = {.excludes = creation->options->excludes,
                                           .exclude_count = creation->options->exclude_count,
                                           .keep_symlinks = creation->options->keep_symlinks};
        return folder_walk_run(&creation->walk, creation->root, &walk);
    }
    creation->walk.files = memory_new(sizeof creation->walk.files[0]);
    creation->walk.count = 1;
    creation->walk.files[0] = (struct torrent_builder_file){
        .path = memory_copy(creation->name, strlen(creation->name) + 1),
        .length = (uint64_t)stat_of_path.st_size,
        .executable = stat_of_path.st_mode & S_IXUSR};
    creation->walk.total_length = (uint64_t)stat_of_path.st_size;
    return EXIT_CODE_OK;
}

static enum exit_code explain_builder(const struct creation *creation, enum freshet_error error)
{
    const char *path = creation->options->path;
    if (error == FRESHET_ERROR_CONFLICT)
        message_error("%s: a folder that holds only a file of its own name (use --v1: version 2 "
                      "cannot tell it from that file)",
                      path);
    else if (error == FRESHET_ERROR_LIMIT)
        message_error("%s: more than %u pieces (use larger ones, -l)", path, LIMIT_PIECES_MAX);
    else
        message_error("%s: holds nothing to share, not one byte", path);
    return error == FRESHET_ERROR_LIMIT ? EXIT_CODE_REFUSED : EXIT_CODE_USAGE;
}

static enum exit_code start_builder(struct creation *creation)
{
    const struct torrent_create_options *from = creation->options;
    if (creation->walk.total_length == 0)
        return explain_builder(creation, FRESHET_ERROR_RANGE);
    struct torrent_builder_options options = {
        .name = creation->name,
        .single_file = creation->single_file,
        .has_v1 = from->has_v1,
        .has_v2 = from->has_v2,
        .piece_length = from->piece_length,
        .files = creation->walk.files,
        .file_count = creation->walk.count,
        .trackers = from->trackers,
        .tracker_tiers = from->tracker_tiers,
        .tracker_count = from->tracker_count,
        .web_seeds = from->web_seeds,
        .web_seed_count = from->web_seed_count,
        .is_private = from->is_private,
        .source = from->source,
        .comment = from->comment,
        .created_by = from->created_by,
        .creation_date = from->creation_date,
    };
    if (options.piece_length == 0)
        options.piece_length = torrent_builder_piece_length(creation->walk.total_length);
    enum freshet_error error = torrent_builder_new(&options, &creation->builder);
    return error == FRESHET_OK ? EXIT_CODE_OK : explain_builder(creation, error);
}

static bool take_piece(void *context, const struct piece_hasher_result *result)
{
    struct creation *creation = context;
    if (result->error != FRESHET_OK) {
        hash_progress_end(&creation->progress);
        if (result->error == FRESHET_ERROR_NOT_FOUND)
            message_error("%s: changed while it was read", creation->paths[result->file]);
        else
            message_error_code(creation->paths[result->file], result->error);
        creation->code = EXIT_CODE_DISK;
        return false;
    }
    torrent_builder_set_piece(creation->builder, result->piece, result->sha1, result->leaves);
    hash_progress_add(
        &creation->progress,
        geometry_piece_payload(torrent_builder_geometry(creation->builder), result->piece));
    return true;
}

static enum exit_code hash_files(struct creation *creation)
{
    const struct geometry *geometry = torrent_builder_geometry(creation->builder);
    creation->paths = memory_new_array(geometry->file_count, sizeof creation->paths[0]);
    for (uint32_t i = 0; i < geometry->file_count; i++) {
        uint32_t source = torrent_builder_source(creation->builder, i);
        creation->paths[i] = source == UINT32_MAX ? "" : creation->walk.files[source].path;
    }
    unsigned threads = creation->options->threads;
    struct piece_hasher_options options = {
        .geometry = geometry,
        .root = creation->root,
        .paths = creation->paths,
        .want_sha1 = creation->options->has_v1,
        .want_leaves = creation->options->has_v2,
        .threads = threads ? threads : piece_hasher_threads(),
        .done = take_piece,
        .context = creation,
    };
    hash_progress_init(&creation->progress, creation->options->progress, creation->name,
                       geometry->payload_length);
    enum freshet_error error = piece_hasher_run(&options);
    hash_progress_end(&creation->progress);
    if (error != FRESHET_OK) {
        message_error_code("cannot start hashing", error);
        return EXIT_CODE_OTHER;
    }
    return creation->code;
}

/* Who gets the torrent may see other names; here the files keep those that they have. */
static void keep_names(struct metainfo *metainfo)
{
    if (!metainfo->renamed)
        return;
    message_note("some names are not safe everywhere (case, dots, control characters...); who gets "
                 "the torrent sees them changed ('freshet show --files' tells how)");
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (!metainfo->files[i].padding)
            metainfo_names_use_raw(metainfo, i);
}

/* Our own reader judges what we made before anyone else has to. */
static enum exit_code finish(struct creation *creation, struct torrent_create_result *ret_result)
{
    struct torrent_create_result result = {0};
    char reason[METAINFO_REASON_SIZE];
    torrent_builder_finish(creation->builder, &result.torrent);
    if (metainfo_parse(buffer_bytes(&result.torrent), &result.metainfo, reason) != FRESHET_OK) {
        message_error("%s: cannot be a torrent: %s", creation->options->path, reason);
        buffer_deinit(&result.torrent);
        return EXIT_CODE_REFUSED;
    }
    keep_names(result.metainfo);
    result.folder = creation->folder;
    creation->folder = NULL;
    *ret_result = result;
    return EXIT_CODE_OK;
}

enum exit_code torrent_create_run(const struct torrent_create_options *options,
                                  struct torrent_create_result *ret_result)
{
    struct creation creation = {.options = options, .root = -1};
    enum exit_code code = find_files(&creation);
    if (code == EXIT_CODE_OK)
        code = start_builder(&creation);
    if (code == EXIT_CODE_OK)
        code = hash_files(&creation);
    if (code == EXIT_CODE_OK)
        code = finish(&creation, ret_result);
    torrent_builder_free(creation.builder);
    folder_walk_deinit(&creation.walk);
    memory_free(creation.paths);
    if (creation.root >= 0)
        close(creation.root);
    free(creation.name);
    free(creation.folder);
    return code;
}

void torrent_create_result_deinit(struct torrent_create_result *result)
{
    buffer_deinit(&result->torrent);
    metainfo_free(result->metainfo);
    free(result->folder);
    *result = (struct torrent_create_result){0};
}
