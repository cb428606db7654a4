/* SPDX-License-Identifier: MIT */
/*
 * Handshakes of message stream encryption (core/wire/mse.h) go before everything else of a
 * connection. While one runs, this stands between the host and the peer and keeps both in the
 * belief that nothing is in between: the first words of a peer that we dial are taken from its
 * ACTION_SEND and go out within the handshake, and its EVENT_SENT comes when that is over. Who came
 * to us is a greeting until then, and what it says meanwhile waits (`early`).
 *
 * Afterwards the bytes are the host's to cipher: those that come in from EVENT_RECEIVED on (its
 * `decrypt`), those that go out from ACTION_ENCRYPT on. Nothing of a connection is in flight then.
 */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/engine/engine_state.h"

#include <string.h>

struct engine_mse {
    conn_id conn;
    struct address remote;
    struct mse *mse;
    bool is_dialled; /* else the connection is a greeting */
    bool is_done;    /* the other side has said its part; ours is perhaps not out yet */
    bool send_busy;
    bool is_encrypted;  /* ACTION_ENCRYPT was given */
    bool has_words;     /* a peer's ACTION_SEND was taken: `words` bytes, whose end it waits for */
    uint32_t words;     /* in the handshake, or: */
    struct buffer late; /* these, which came too late for it */
    struct buffer sending, early;
    struct list_node in_all, in_ready;
};

void engine_mse_init(struct engine *engine)
{
    struct engine_mses *mses = &engine->mses;
    list_init(&mses->all);
    list_init(&mses->ready);
    /* Not from the generator: a run that never meets MSE shall be the run that it was without. */
    map_init(&mses->by_conn, sizeof(conn_id), engine->shared.settings.seed ^ 1);
    map_init(&mses->by_name, SHA1_SIZE, engine->shared.settings.seed ^ 2);
}

static struct engine_mse *find(const struct engine *engine, conn_id conn)
{
    return engine->mses.all.length ? map_get(&engine->mses.by_conn, &conn) : NULL;
}

static void drop(struct engine *engine, struct engine_mse *mse)
{
    struct engine_mses *mses = &engine->mses;
    map_remove(&mses->by_conn, &mse->conn);
    list_remove(&mses->all, &mse->in_all);
    if (list_contains(&mse->in_ready))
        list_remove(&mses->ready, &mse->in_ready);
    mse_free(mse->mse);
    buffer_deinit(&mse->late);
    buffer_deinit(&mse->sending);
    buffer_deinit(&mse->early);
    memory_free(mse);
}

void engine_mse_deinit(struct engine *engine)
{
    struct engine_mses *mses = &engine->mses;
    struct list_node *node;
    while ((node = list_first(&mses->all)))
        drop(engine, LIST_ELEMENT(node, struct engine_mse, in_all));
    map_deinit(&mses->by_conn);
    map_deinit(&mses->by_name);
    buffer_deinit(&mses->late);
}

void engine_mse_forget(struct engine *engine, conn_id conn)
{
    struct engine_mse *mse = find(engine, conn);
#ifdef FRESHET_PLANTED_BUG
    return; /* a greeting that is over leaves its handshake behind */
#endif
    if (mse)
        drop(engine, mse);
}

static void wake(struct engine *engine, struct engine_mse *mse)
{
    if (!list_contains(&mse->in_ready))
        list_append(&engine->mses.ready, &mse->in_ready);
}

/* ---- torrents by the names that the handshake has for them ---- */

void engine_mse_name(struct engine_torrent *torrent, const uint8_t hash[MSE_SKEY_SIZE], bool add)
{
    struct map *by_name = &torrent->engine->mses.by_name;
    uint8_t name[SHA1_SIZE];
    mse_key_name(hash, name);
    if (add)
        map_put(by_name, name, torrent);
    else
        map_remove(by_name, name);
}

/* The hash of a torrent by which it has that name. */
static bool find_skey(const struct engine *engine, const uint8_t *name,
                      uint8_t ret_skey[MSE_SKEY_SIZE])
{
    const struct engine_torrent *torrent = map_get(&engine->mses.by_name, name);
    uint8_t v1_name[SHA1_SIZE];
    if (torrent == NULL)
        return false;
    mse_key_name(torrent->names.v1, v1_name);
    bool is_v1 = torrent->names.has_v1 && memcmp(v1_name, name, sizeof v1_name) == 0;
    memcpy(ret_skey, is_v1 ? torrent->names.v1 : torrent->names.v2, MSE_SKEY_SIZE);
    return true;
}

/* ---- beginnings ---- */

static uint32_t methods_of(enum encryption encryption)
{
    return encryption == ENCRYPTION_REQUIRE ? MSE_RC4 : MSE_RC4 | MSE_PLAINTEXT;
}

static struct engine_mse *begin(struct engine *engine, conn_id conn, const struct address *remote,
                                const uint8_t *skey)
{
    enum encryption encryption = engine->shared.settings.encryption;
    struct mse_options options = {.methods = methods_of(encryption),
                                  .prefers_rc4 = encryption == ENCRYPTION_PREFER,
                                  .skey = skey};
    struct engine_mse *mse = memory_new(sizeof *mse);
    mse->conn = conn;
    mse->remote = *remote;
    mse->is_dialled = skey != NULL;
    mse->mse = mse_new(&options, &engine->shared.rng);
    map_put(&engine->mses.by_conn, &conn, mse);
    list_append(&engine->mses.all, &mse->in_all);
    wake(engine, mse);
    return mse;
}

void engine_mse_connected(struct engine *engine, const struct event *event)
{
    struct peer *peer = map_get(&engine->shared.conns, &event->conn);
    struct metadata_peer *metadata = map_get(&engine->shared.metadata_conns, &event->conn);
    uint8_t skey[MSE_SKEY_SIZE];
    if ((peer && swarm_peer_begin_mse(peer, skey)) ||
        (metadata && metadata_swarm_peer_begin_mse(metadata, skey)))
        begin(engine, event->conn, &event->remote, skey);
}

/* Each costs two exponentiations, and its maker none if he likes. */
static bool is_crowded(const struct engine *engine, const struct address *remote)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&engine->mses.all); node;
         node = list_next(&engine->mses.all, node)) {
        const struct engine_mse *mse = LIST_ELEMENT(node, struct engine_mse, in_all);
        count += !mse->is_dialled && address_same_ip(&mse->remote, remote);
    }
    return count >= (engine->shared.settings.many_per_address ? GREETINGS_NETWORK_MAX
                                                              : LIMIT_MSE_PER_ADDRESS);
}

bool engine_mse_greet(struct engine *engine, struct greeting *greeting)
{
    if (engine->shared.settings.encryption == ENCRYPTION_OFF || greeting->mse != PEER_MSE_NONE ||
        is_crowded(engine, &greeting->remote))
        return false;
    greeting->mse = PEER_MSE_BEGUN;
    begin(engine, greeting->conn, &greeting->remote, NULL);
    return true;
}

/* ---- what comes in ---- */

/* Whoever has the connection is told that it is gone, the host that it is to close it. A peer that
 * is gone has said that already. */
static void end_connection(struct engine *engine, conn_id conn)
{
    struct event event = {.type = EVENT_CLOSED, .conn = conn, .error = FRESHET_ERROR_PROTOCOL};
    bool is_known = greeting_find(&engine->greetings, conn) ||
                    map_get(&engine->shared.conns, &conn) ||
                    map_get(&engine->shared.metadata_conns, &conn);
    engine_mse_forget(engine, conn);
    if (!is_known)
        return;
    engine_connection_input(engine, &event);
    engine_close_conn(engine, conn);
}

static enum peer_mse agreed(const struct engine_mse *mse)
{
    return mse_method(mse->mse) == MSE_RC4 ? PEER_MSE_RC4 : PEER_MSE_PLAINTEXT;
}

/* The other side has said its part. */
static void finish(struct engine *engine, struct engine_mse *mse, struct event *event)
{
    struct peer *peer = map_get(&engine->shared.conns, &mse->conn);
    struct metadata_peer *metadata = map_get(&engine->shared.metadata_conns, &mse->conn);
    struct greeting *greeting = greeting_find(&engine->greetings, mse->conn);
    struct bytes initial = mse_initial(mse->mse);
    mse->is_done = true;
    buffer_append(&mse->early, initial.data, initial.length);
    if (peer)
        swarm_peer_set_mse(peer, agreed(mse));
    else if (metadata)
        metadata_swarm_peer_set_mse(metadata, agreed(mse));
    else if (greeting)
        greeting->mse = agreed(mse);
    if (agreed(mse) == PEER_MSE_RC4) {
        engine->mses.cipher = *mse_decrypts(mse->mse);
        event->decrypt = &engine->mses.cipher;
    }
}

static void read_handshake(struct engine *engine, struct engine_mse *mse, struct event *event)
{
    struct bytes rest = event->bytes;
    uint8_t skey[MSE_SKEY_SIZE];
    enum mse_progress progress = mse_read(mse->mse, &rest);
    if (progress == MSE_ASKS && find_skey(engine, mse_name(mse->mse), skey)) {
        mse_set_skey(mse->mse, skey);
        progress = mse_read(mse->mse, &rest);
    }
    event->consumed = event->bytes.length - rest.length;
    if (progress == MSE_MORE || progress == MSE_DONE)
        wake(engine, mse);
    if (progress == MSE_DONE)
        finish(engine, mse, event);
    else if (progress != MSE_MORE)
        end_connection(engine, mse->conn);
}

/* Nobody who waits for our answer says much before it. */
static void keep_early(struct engine *engine, struct engine_mse *mse, struct event *event)
{
    event->consumed = event->bytes.length;
    if (event->bytes.length > MSE_INITIAL_MAX - mse->early.length)
        end_connection(engine, mse->conn);
    else
        buffer_append(&mse->early, event->bytes.data, event->bytes.length);
}

bool engine_mse_input(struct engine *engine, struct event *event)
{
    struct engine_mse *mse = find(engine, event->conn);
    if (mse == NULL)
        return false;
    switch (event->type) {
    case EVENT_CLOSED: drop(engine, mse); return false;
    case EVENT_SENT:
        if (event->done) {
            mse->send_busy = false;
            wake(engine, mse);
        }
        return true;
    case EVENT_RECEIVED:
        if (!mse->is_done)
            read_handshake(engine, mse, event);
        else if (!mse->is_dialled)
            keep_early(engine, mse, event);
        else
            return false;
        return true;
    default: return false;
    }
}

/* ---- what goes out ---- */

bool engine_mse_takes(struct engine *engine, const struct action *action)
{
    struct engine_mse *mse = find(engine, action->conn);
    if (mse == NULL)
        return false;
    if (action->type == ACTION_CLOSE)
        drop(engine, mse);
    if (action->type != ACTION_SEND)
        return false;
    /* Its first words, and no more before it hears that they are out. */
    CHECK(mse->is_dialled && !mse->has_words);
    CHECK(action->range_count == 0);
    CHECK(action->bytes.length <= MSE_INITIAL_MAX);
    mse->has_words = true;
    mse->words = (uint32_t)action->bytes.length;
    if (!mse_set_initial(mse->mse, action->bytes))
        buffer_append(&mse->late, action->bytes.data, action->bytes.length);
    wake(engine, mse);
    return true;
}

/* What waited while the handshake ran goes to whose it is. */
static void feed_early(struct engine *engine, conn_id conn, struct bytes early)
{
    struct event event = {.type = EVENT_RECEIVED, .conn = conn, .bytes = early};
    engine_connection_input(engine, &event);
    if (event.consumed < early.length) /* payload, for which nobody asked */
        end_connection(engine, conn);
}

/* All is said on both sides: the connection is the peer's, or a greeting like others. true: the
 * peer's first words are still to be sent. */
static bool hand_over(struct engine *engine, struct engine_mse *mse, struct action *ret_action)
{
    struct event sent = {.type = EVENT_SENT, .conn = mse->conn, .length = mse->words, .done = true};
    struct buffer early = mse->early, late = mse->late;
    bool has_words = mse->has_words;
    mse->early = (struct buffer){0};
    mse->late = engine->mses.late;
    engine->mses.late = late;
    drop(engine, mse);
    if (late.length) {
        *ret_action = (struct action){
            .type = ACTION_SEND, .conn = sent.conn, .bytes = buffer_bytes(&engine->mses.late)};
        return true;
    }
    if (has_words)
        engine_connection_input(engine, &sent);
    if (early.length)
        feed_early(engine, sent.conn, buffer_bytes(&early));
    buffer_deinit(&early);
    return false;
}

static bool send(struct engine_mse *mse, struct action *ret_action)
{
    buffer_clear(&mse->sending);
    if (!mse_take_output(mse->mse, &mse->sending))
        return false;
    mse->send_busy = true;
    *ret_action = (struct action){
        .type = ACTION_SEND, .conn = mse->conn, .bytes = buffer_bytes(&mse->sending)};
    return true;
}

/* The last of it: the host ciphers from here on. */
static bool encrypt(struct engine *engine, struct engine_mse *mse, struct action *ret_action)
{
    if (agreed(mse) != PEER_MSE_RC4 || mse->is_encrypted)
        return false;
    mse->is_encrypted = true;
    engine->mses.cipher = *mse_encrypts(mse->mse);
    *ret_action =
        (struct action){.type = ACTION_ENCRYPT, .conn = mse->conn, .cipher = &engine->mses.cipher};
    return true;
}

bool engine_mse_has_output(const struct engine *engine)
{
    return !list_is_empty(&engine->mses.ready);
}

bool engine_mse_output(struct engine *engine, struct action *ret_action)
{
    struct list_node *node;
    while ((node = list_first(&engine->mses.ready))) {
        struct engine_mse *mse = LIST_ELEMENT(node, struct engine_mse, in_ready);
        if (!mse->send_busy && send(mse, ret_action))
            return true;
        if (!mse->send_busy && mse->is_done) {
            if (encrypt(engine, mse, ret_action) || hand_over(engine, mse, ret_action))
                return true;
            continue;
        }
        list_remove(&engine->mses.ready, node);
    }
    return false;
}

void engine_mse_check(const struct engine *engine)
{
    const struct engine_mses *mses = &engine->mses;
    CHECK(mses->by_conn.length == mses->all.length);
    for (struct list_node *node = list_first(&mses->all); node;
         node = list_next(&mses->all, node)) {
        const struct engine_mse *mse = LIST_ELEMENT(node, struct engine_mse, in_all);
        CHECK(map_get(&mses->by_conn, &mse->conn) == mse);
        CHECK(mse->is_dialled || greeting_find(&engine->greetings, mse->conn) != NULL);
        CHECK(mse->early.length <= MSE_INITIAL_MAX);
        mse_check(mse->mse);
    }
}
