/* SPDX-License-Identifier: MIT */
/* freshet verify: is the content what the torrent says? */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/hash_progress.h"
#include "cli/message.h"
#include "cli/piece_hasher.h"
#include "cli/terminal.h"
#include "cli/torrent_file.h"
#include "core/base/bitfield.h"
#include "core/base/memory.h"
#include "core/metainfo/metainfo_names.h"
#include "host/beneath.h"

/* What is known of one file. */
struct file_verdict {
    bool missing;
    bool unreadable;
    enum freshet_error error; /* why it is unreadable */
    bool wrong_size;
    uint64_t size; /* on the disk */
};

struct verification {
    struct metainfo *metainfo;
    struct file_verdict *files;
    struct bitfield bad;     /* pieces whose hash differs */
    struct bitfield unknown; /* pieces that could not be read whole */
    struct hash_progress progress;
};

static bool is_checked(const struct metainfo_file *file)
{
    return !file->padding && file->symlink == NULL;
}

/* Content that another program put there bears the torrent's own names. */
static void find_raw_name(struct verification *verification, int root, file_index file,
                          struct file_stat *stat)
{
    struct metainfo *metainfo = verification->metainfo;
    struct buffer path = {0};
    struct file_stat found = {0};
    if (metainfo_names_raw_path(metainfo, file, &path) &&
        beneath_stat(root, (const char *)path.data, &found) == FRESHET_OK && found.exists &&
        metainfo_names_use_raw(metainfo, file))
        *stat = found;
    buffer_deinit(&path);
}

static void stat_files(struct verification *verification, int root)
{
    const struct metainfo *metainfo = verification->metainfo;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        struct file_verdict *verdict = &verification->files[i];
        struct file_stat stat = {0};
        if (!is_checked(file))
            continue;
        enum freshet_error error = beneath_stat(root, file->path, &stat);
        if (error == FRESHET_OK && !stat.exists && metainfo->renamed)
            find_raw_name(verification, root, i, &stat);
        verdict->missing = error == FRESHET_OK && !stat.exists;
        verdict->unreadable = error != FRESHET_OK;
        verdict->error = error;
        verdict->size = stat.size;
        verdict->wrong_size = stat.exists && stat.size != file->length;
    }
}

static bool take_piece(void *context, const struct piece_hasher_result *result)
{
    struct verification *verification = context;
    const struct metainfo *metainfo = verification->metainfo;
    if (result->error != FRESHET_OK) {
        struct file_verdict *verdict = &verification->files[result->file];
        bitfield_set(&verification->unknown, result->piece);
        if (result->error != FRESHET_ERROR_NOT_FOUND) {
            verdict->unreadable = true;
            verdict->error = result->error;
        }
    } else if (!metainfo_piece_matches(metainfo, result->piece, result->sha1, result->leaves,
                                       result->leaf_count)) {
        bitfield_set(&verification->bad, result->piece);
    }
    hash_progress_add(&verification->progress,
                      geometry_piece_payload(&metainfo->geometry, result->piece));
    return true;
}

static uint32_t count_in(const struct bitfield *field, piece_index first, piece_index last)
{
    uint32_t count = 0;
    for (piece_index i = bitfield_next_set(field, first); i <= last && i < field->size;
         i = bitfield_next_set(field, i + 1))
        count++;
    return count;
}

static uint32_t bad_pieces(const struct verification *verification, file_index file)
{
    piece_index first;
    piece_index last;
    if (!geometry_file_pieces(&verification->metainfo->geometry, file, &first, &last))
        return 0;
    return count_in(&verification->bad, first, last);
}

static bool is_good(const struct verification *verification, file_index file)
{
    const struct file_verdict *verdict = &verification->files[file];
    return !verdict->missing && !verdict->unreadable && !verdict->wrong_size &&
           bad_pieces(verification, file) == 0;
}

/* Pieces as people read them: "3, 7-9". */
static void print_pieces(const struct bitfield *field, piece_index first, piece_index last)
{
    const char *separator = "";
    for (piece_index i = bitfield_next_set(field, first); i <= last && i < field->size;) {
        piece_index end = bitfield_next_clear(field, i);
        end = end > last ? last : end - 1;
        if (end == i)
            printf("%s%u", separator, i);
        else
            printf("%s%u-%u", separator, i, end);
        separator = ", ";
        i = bitfield_next_set(field, end + 1);
    }
}

static void print_file(const struct verification *verification, file_index file)
{
    const struct file_verdict *verdict = &verification->files[file];
    const struct metainfo_file *of = &verification->metainfo->files[file];
    char safe[LIMIT_PATH_LENGTH + 1];
    terminal_safe_text(of->path, safe, sizeof safe);
    uint32_t bad = bad_pieces(verification, file);
    piece_index first = 0;
    piece_index last = 0;
    bool has_pieces = geometry_file_pieces(&verification->metainfo->geometry, file, &first, &last);
    if (verdict->missing)
        printf("missing  %s\n", safe);
    else if (verdict->unreadable)
        printf("error    %s: %s\n", safe, error_text(verdict->error));
    else if (verdict->wrong_size)
        printf("size     %s: has %llu bytes, should have %llu\n", safe,
               (unsigned long long)verdict->size, (unsigned long long)of->length);
    if (bad && has_pieces) {
        printf("bad      %s: %u of %u pieces: ", safe, bad, last - first + 1);
        print_pieces(&verification->bad, first, last);
        putchar('\n');
    }
}

static void print_text(const struct verification *verification, uint32_t file_count,
                       uint32_t good_count)
{
    const struct metainfo *metainfo = verification->metainfo;
    char safe[LIMIT_PATH_LENGTH + 1];
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (is_checked(&metainfo->files[i]) && !is_good(verification, i))
            print_file(verification, i);
    uint32_t pieces = metainfo->geometry.piece_count;
    uint32_t good = pieces - verification->bad.count - verification->unknown.count;
    printf("%s: %u of %u files good, %u of %u pieces good\n",
           terminal_safe_text(metainfo->name, safe, sizeof safe), good_count, file_count, good,
           pieces);
}

static json_t *pieces_json(const struct bitfield *field)
{
    json_t *list = json_array();
    for (piece_index i = bitfield_next_set(field, 0); i < field->size;
         i = bitfield_next_set(field, i + 1))
        json_array_append_new(list, json_integer(i));
    return list;
}

static const char *verdict_text(const struct verification *verification, file_index file)
{
    const struct file_verdict *verdict = &verification->files[file];
    if (verdict->missing)
        return "missing";
    if (verdict->unreadable)
        return "error";
    if (verdict->wrong_size)
        return "size";
    return bad_pieces(verification, file) ? "bad" : "good";
}

static void print_json(const struct verification *verification, bool good)
{
    const struct metainfo *metainfo = verification->metainfo;
    json_t *files = json_array();
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (is_checked(&metainfo->files[i]))
            json_array_append_new(files,
                                  json_pack("{s:s, s:s, s:I}", "path", metainfo->files[i].path,
                                            "state", verdict_text(verification, i), "bad_pieces",
                                            (json_int_t)bad_pieces(verification, i)));
    json_t *all = json_pack("{s:b, s:s, s:I, s:o, s:o, s:o}", "good", good, "name", metainfo->name,
                            "pieces", (json_int_t)metainfo->geometry.piece_count, "bad_pieces",
                            pieces_json(&verification->bad), "unread_pieces",
                            pieces_json(&verification->unknown), "files", files);
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

static enum exit_code report(const struct verification *verification, bool json)
{
    const struct metainfo *metainfo = verification->metainfo;
    uint32_t file_count = 0;
    uint32_t good_count = 0;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        if (!is_checked(&metainfo->files[i]))
            continue;
        file_count++;
        good_count += is_good(verification, i);
    }
    bool good = good_count == file_count && verification->bad.count == 0 &&
                verification->unknown.count == 0;
    if (json)
        print_json(verification, good);
    else
        print_text(verification, file_count, good_count);
    return good ? EXIT_CODE_OK : EXIT_CODE_DATA;
}

static enum freshet_error hash_pieces(struct verification *verification, int root, unsigned threads)
{
    const struct metainfo *metainfo = verification->metainfo;
    const char **paths = memory_new_array(metainfo->geometry.file_count, sizeof paths[0]);
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        paths[i] = metainfo->files[i].path;
    struct piece_hasher_options options = {
        .geometry = &metainfo->geometry,
        .root = root,
        .paths = paths,
        .want_sha1 = metainfo->has_v1,
        .want_leaves = metainfo->has_v2,
        .threads = threads,
        .done = take_piece,
        .context = verification,
    };
    enum freshet_error error = piece_hasher_run(&options);
    hash_progress_end(&verification->progress);
    memory_free(paths);
    return error;
}

static enum exit_code verify(struct metainfo *metainfo, int root, const struct command_call *call,
                             unsigned threads)
{
    struct verification verification = {.metainfo = metainfo};
    verification.files =
        memory_new_array(metainfo->geometry.file_count, sizeof verification.files[0]);
    bitfield_init(&verification.bad, metainfo->geometry.piece_count);
    bitfield_init(&verification.unknown, metainfo->geometry.piece_count);
    hash_progress_init(&verification.progress, command_value(call, "progress"), metainfo->name,
                       metainfo->geometry.payload_length);
    stat_files(&verification, root);
    enum exit_code code = EXIT_CODE_OTHER;
    enum freshet_error error = hash_pieces(&verification, root, threads);
    if (error == FRESHET_OK)
        code = report(&verification, command_has(call, "json"));
    else
        message_error_code("cannot start hashing", error);
    bitfield_deinit(&verification.bad);
    bitfield_deinit(&verification.unknown);
    memory_free(verification.files);
    return code;
}

static int verify_run(struct command_call *call)
{
    const char *folder = command_operand_count(call) > 1 ? command_operand(call, 1) : ".";
    uint64_t threads = piece_hasher_threads();
    struct metainfo *metainfo = NULL;
    if (!command_number(call, "threads", PIECE_HASHER_THREADS_MAX, &threads))
        return EXIT_CODE_USAGE;
    enum exit_code code = torrent_file_load(command_operand(call, 0), &metainfo);
    if (code != EXIT_CODE_OK)
        return code;
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (metainfo->layers_missing && !metainfo->has_v1) {
        message_error("%s: lacks its piece layers, its pieces can't be checked",
                      command_operand(call, 0));
        code = EXIT_CODE_BAD_INPUT;
    } else if (root < 0) {
        message_error("%s: %s", folder, strerror(errno));
        code = EXIT_CODE_DISK;
    } else {
        code = verify(metainfo, root, call, threads ? (unsigned)threads : piece_hasher_threads());
    }
    if (root >= 0)
        close(root);
    metainfo_free(metainfo);
    return code;
}

static const struct command_option verify_options[] = {
    {"threads", 'j', "N", "hashing threads (default: one a processor)", .repeatable = false},
    {"json", 0, NULL, "print the verdict as one JSON object", .repeatable = false},
    {"progress", 0, "auto|bar|plain|json|none", "how progress is shown on stderr",
     .repeatable = false},
    {0},
};

extern const struct command verify_command;
const struct command verify_command = {
    .name = "verify",
    .summary = "check content against its torrent",
    .operands = "TORRENT [DIR]",
    .description =
        "Hashes the torrent's content and says which files and pieces are bad, missing or of the "
        "wrong size. DIR is the folder that contains the torrent's name (default: here). Of a "
        "hybrid both hashes must be right.\n\n"
        "A piece of a version 1 torrent may span several files; all of them are then named. Ends "
        "with 5 when anything differs.",
    .options = verify_options,
    .examples = {"freshet verify photos.torrent", "freshet verify photos.torrent /mnt/backup",
                 "freshet verify --json photos.torrent"},
    .operands_min = 1,
    .operands_max = 2,
    .run = verify_run,
};
