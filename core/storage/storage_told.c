/* SPDX-License-Identifier: MIT */
/* What a storage tells its parent, in order, until it is pulled. Lost pieces come in stretches and
 * progress only matters once, so neither makes the queue long. */
#include "core/storage/storage_state.h"

#include "core/base/memory.h"

struct storage_result *storage_told_add_with(struct storage *storage, enum storage_result_type type,
                                             uint8_t *leaves, block_id *blocks,
                                             uint32_t block_count)
{
    struct storage_told *told = memory_new(sizeof *told);
    told->leaves = leaves;
    told->blocks = blocks;
    told->result = (struct storage_result){
        .type = type,
        .file = UINT32_MAX,
        .leaves = leaves,
        .blocks = blocks,
        .block_count = block_count,
    };
    list_append(&storage->told, &told->node);
    return &told->result;
}

static struct storage_told *last_told(const struct storage *storage)
{
    if (list_is_empty(&storage->told))
        return NULL;
    return LIST_ELEMENT(storage->told.head.previous, struct storage_told, node);
}

struct storage_result *storage_told_add(struct storage *storage, enum storage_result_type type)
{
    struct storage_told *last = last_told(storage);
    if (type == STORAGE_RESULT_CHECK_PROGRESS && last && last->result.type == type)
        return &last->result;
    return storage_told_add_with(storage, type, NULL, NULL, 0);
}

void storage_told_add_lost(struct storage *storage, piece_index piece)
{
    /* Nobody has been told of it yet: READY will say what is there. */
    if (!storage->ready_told)
        return;
    struct storage_told *last = last_told(storage);
    bool joins = last && last->result.type == STORAGE_RESULT_LOST_PIECE && last->piece_end == piece;
    if (!joins) {
        storage_told_add(storage, STORAGE_RESULT_LOST_PIECE)->piece = piece;
        last = last_told(storage);
    }
    last->piece_end = piece + 1;
}

static void free_one(struct storage_told *told)
{
    if (!told)
        return;
    memory_free(told->leaves);
    memory_free(told->blocks);
    memory_free(told);
}

bool storage_told_next(struct storage *storage, struct storage_result *ret_result)
{
    free_one(storage->given);
    storage->given = NULL;
    struct list_node *node = list_first(&storage->told);
    if (!node)
        return false;
    struct storage_told *told = LIST_ELEMENT(node, struct storage_told, node);
    *ret_result = told->result;
    if (told->result.type == STORAGE_RESULT_LOST_PIECE && ++told->result.piece < told->piece_end)
        return true;
    list_remove(&storage->told, node);
    storage->given = told;
    return true;
}

void storage_told_deinit(struct storage *storage)
{
    struct list_node *node;
    while ((node = list_first(&storage->told))) {
        list_remove(&storage->told, node);
        free_one(LIST_ELEMENT(node, struct storage_told, node));
    }
    free_one(storage->given);
}
