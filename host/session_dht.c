/* SPDX-License-Identifier: MIT */
#include "host/session_dht.h"

#include "core/base/memory.h"
#include "core/engine/engine_dht.h"
#include "host/clock.h"
#include "host/dht_bootstrap.h"
#include "host/dht_record.h"
#include "host/ed25519.h"
#include "host/entropy.h"

#include <string.h>

#define SAVE_MS (5 * 60 * 1000)

static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};

/* Written by a worker: the database waits for the disk. */
struct saving {
    struct work work;
    struct session *session;
    struct buffer records[2];
};

static void saving_run(struct work *work)
{
    struct saving *saving = (struct saving *)work;

    for (int i = 0; i < 2; i++)
        if (saving->records[i].length)
            dht_record_save(saving->session->state, families[i], buffer_bytes(&saving->records[i]));
}

static void saving_done(struct work *work)
{
    struct saving *saving = (struct saving *)work;

    for (int i = 0; i < 2; i++)
        buffer_deinit(&saving->records[i]);
    memory_free(saving);
}

static struct saving *saving_new(struct session *session)
{
    struct saving *saving = memory_new(sizeof *saving);

    saving->session = session;
    saving->work.run = saving_run;
    saving->work.done = saving_done;
    for (int i = 0; i < 2; i++)
        engine_dht_save(session->engine, families[i], &saving->records[i]);
    return saving;
}

static void session_on_save(uv_timer_t *timer)
{
    struct session *session = timer->data;

    worker_pool_submit(session->state_worker, &saving_new(session)->work);
}

void session_dht_save(struct session *session)
{
    if (!session->has_dht)
        return;
    struct saving *saving = saving_new(session);
    saving_run(&saving->work);
    saving_done(&saving->work);
}

void session_dht_start(struct session *session)
{
    static const uint8_t unspecified[16];
    const struct address *listen = &session->listen;
    bool is_any = memcmp(listen->ip, unspecified, sizeof unspecified) == 0;
    struct engine_dht_options options = {
        /* One IPv6 socket on every address takes IPv4 along. */
        .has_ipv4 = listen->family == ADDRESS_IPV4 || is_any,
        .has_ipv6 = listen->family == ADDRESS_IPV6,
        .verifier = ed25519_verifier(),
    };
    struct dht_bootstrap bootstrap;
    struct buffer records[2] = {0};

    if (session->options.no_dht)
        return;
    dht_bootstrap_load(&bootstrap, session->state, session->options.bootstrap,
                       session->options.bootstrap_count, listen);
    for (int i = 0; i < 2; i++)
        dht_record_load(session->state, families[i], &records[i]);
    entropy_fill(options.secret, sizeof options.secret);
    options.record_ipv4 = buffer_bytes(&records[0]);
    options.record_ipv6 = buffer_bytes(&records[1]);
    options.names = bootstrap.names;
    options.name_count = bootstrap.count;
    struct engine_command command = {.type = COMMAND_START_DHT, .dht = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(session->engine, clock_now(), &event);
    session->has_dht = true;
    uv_timer_start(&session->save, session_on_save, SAVE_MS, SAVE_MS);
    dht_bootstrap_deinit(&bootstrap);
    buffer_deinit(&records[0]);
    buffer_deinit(&records[1]);
}
