/* SPDX-License-Identifier: MIT */
/* freshet seed: offer what is there. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/transfer.h"

static const struct command_option options[] = {
    {"output", 'o', "DIR", "the folder that contains the torrent's name, default the current one",
     .repeatable = false},
    TRANSFER_OPTIONS,
    {0},
};

static enum exit_code seed_add(struct transfer *transfer, const struct command_call *call,
                               const char *operand)
{
    const char *folder = command_value(call, "output") ? command_value(call, "output") : ".";
    struct torrent_source source = {0};
    enum exit_code code = torrent_source_load(operand, transfer_state_folder(call), &source);

    return code ? code : transfer_add(transfer, &source, folder, NULL);
}

static int seed_run(struct command_call *call)
{
    enum exit_code code = EXIT_CODE_OK;
    struct transfer *transfer = transfer_new(call, TRANSFER_SEED, &code);

    if (!transfer)
        return code;
    for (size_t i = 0; i < command_operand_count(call) && !code; i++)
        code = seed_add(transfer, call, command_operand(call, i));
    if (!code)
        code = transfer_run(transfer);
    transfer_free(transfer);
    return code;
}

extern const struct command seed_command;
const struct command seed_command = {
    .name = "seed",
    .summary = "offer what is there to others",
    .operands = "TORRENT...",
    .description = "Checks what each TORRENT describes and sends it to whoever asks, until it is "
                   "interrupted or a seeding goal is reached; both end with 0.",
    .options = options,
    .examples = {"freshet seed album.torrent -o ~/Music"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = seed_run,
};
