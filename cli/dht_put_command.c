/* SPDX-License-Identifier: MIT */
/* freshet dht put: keeps an item in the DHT (BEP 44). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/dht_key_file.h"
#include "cli/dht_run.h"
#include "cli/message.h"
#include "core/bencode/bencode.h"
#include "host/clock.h"

struct put {
    struct buffer value; /* bencoded */
    struct krpc_item item;
    struct dht_id target;
    struct ed25519_pair pair;
    uint8_t signature[KRPC_SIGNATURE_SIZE];
    bool finds_seq; /* first looks which number is the newest */
    bool is_putting;
};

static void sign(struct put *put)
{
    struct buffer text = {0};

    krpc_write_signed(&put->item, &text);
    ed25519_sign(&put->pair, buffer_bytes(&text), put->signature);
    put->item.signature = put->signature;
    buffer_deinit(&text);
}

static void begin(struct dht_run *run, struct dht_node *node)
{
    struct put *put = run->context;

    if (put->finds_seq && !put->is_putting) {
        dht_run_began(run, dht_node_get(node, clock_now(), &put->target, put->item.salt));
        return;
    }
    dht_run_began(run, dht_node_put(node, clock_now(), &put->item));
}

/* When the look for the newest is over: the next number, on every family that has been asked. */
static void put_next(struct dht_run *run)
{
    static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
    struct put *put = run->context;
    struct dht_node_stats stats;

    put->is_putting = true;
    put->item.seq++;
    sign(put);
    run->asked = run->answered = 0;
    for (int i = 0; i < 2; i++) {
        struct dht_node *node = dht_service_node(run->service, families[i]);
        if (!node)
            continue;
        dht_node_stats(node, clock_now(), &stats);
        if (stats.good_nodes > 0)
            dht_run_began(run, dht_node_put(node, clock_now(), &put->item));
    }
}

static void take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    struct put *put = run->context;

    (void)node;
    if (put->is_putting || !put->finds_seq)
        return;
    if (result->type == DHT_RESULT_ITEM && result->item.seq > put->item.seq)
        put->item.seq = result->item.seq;
    if (result->type == DHT_RESULT_DONE && run->open == 0 && run->answered > 0)
        put_next(run);
}

static void print_end(const struct dht_run *run, const struct put *put)
{
    char target[DHT_RUN_ID_SIZE], key[2 * KRPC_KEY_SIZE + 1];

    dht_run_id_text(&put->target, target);
    if (put->item.key)
        bytes_to_hex(put->item.key, KRPC_KEY_SIZE, key);
    if (run->is_json) {
        json_t *object = json_pack("{s:s,s:s,s:i}", "event", "done", "target", target, "stored",
                                   (int)run->stored);
        if (put->item.key)
            json_object_update_new(
                object, json_pack("{s:s,s:I}", "key", key, "seq", (json_int_t)put->item.seq));
        dht_run_print_json(object);
        return;
    }
    puts(target);
    if (put->item.key)
        puts(key);
    fflush(stdout);
    if (put->item.key)
        message_note("stored on %" PRIu32 " nodes, as number %" PRId64, run->stored, put->item.seq);
    else
        message_note("stored on %" PRIu32 " nodes", run->stored);
}

static int say_refusal(const struct dht_run *run, const struct put *put)
{
    if (run->is_late) {
        message_error("not stored in time (--timeout gives it more)");
        return EXIT_CODE_NETWORK;
    }
    if (run->refusal == 0) {
        message_error("%" PRIu32 " nodes answered, but none of them says that it keeps it",
                      run->answered);
        return EXIT_CODE_NETWORK;
    }
    if (run->refusal == KRPC_ERROR_CAS)
        message_error("refused: the item there is not number %" PRId64 " (--cas)", put->item.cas);
    else if (run->refusal == KRPC_ERROR_SEQ)
        message_error("refused: there is a newer item, or another one of number %" PRId64
                      " (--seq)",
                      put->item.seq);
    else
        message_error("refused by all %" PRIu32 " nodes that answered (%" PRId64 ")", run->answered,
                      run->refusal);
    return EXIT_CODE_REFUSED;
}

static int end(struct dht_run *run)
{
    const struct put *put = run->context;

    if (run->stored == 0)
        return say_refusal(run, put);
    print_end(run, put);
    return EXIT_CODE_OK;
}

/* --- The command line --- */

static int read_file(const char *path, struct buffer *ret_bytes)
{
    uint8_t part[LIMIT_DHT_VALUE + 1];
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");

    if (!file) {
        message_error("%s: %s", path, strerror(errno));
        return EXIT_CODE_DISK;
    }
    /* One byte more than fits tells that it is too long. */
    buffer_append(ret_bytes, part, fread(part, 1, sizeof part, file));
    bool is_ok = !ferror(file);
    if (!is_stdin)
        fclose(file);
    if (!is_ok)
        message_error("%s: cannot be read", path);
    return is_ok ? EXIT_CODE_OK : EXIT_CODE_DISK;
}

static int read_value(const struct command_call *call, struct put *put)
{
    const char *path = command_value(call, "file");
    struct buffer bytes = {0};
    struct bencode document = {0};
    int code = EXIT_CODE_OK;

    if ((path != NULL) == (command_operand_count(call) == 1))
        return command_usage_error("either TEXT or --file, not both, not neither");
    if (path)
        code = read_file(path, &bytes);
    else
        buffer_append_text(&bytes, command_operand(call, 0));
    if (!command_has(call, "bencoded")) {
        buffer_append_i64(&put->value, (int64_t)bytes.length);
        buffer_append_u8(&put->value, ':');
    }
    buffer_append(&put->value, bytes.data, bytes.length);
    buffer_deinit(&bytes);
    if (code == EXIT_CODE_OK && put->value.length > LIMIT_DHT_VALUE) {
        message_error("too long: an item has at most %u bytes of bencode", LIMIT_DHT_VALUE);
        code = EXIT_CODE_BAD_INPUT;
    }
    if (code == EXIT_CODE_OK &&
        bencode_parse(&document, buffer_bytes(&put->value), BENCODE_STRICT) != FRESHET_OK) {
        message_error("that is no bencode: %s", document.problem);
        code = EXIT_CODE_BAD_INPUT;
    }
    bencode_deinit(&document);
    put->item.value = buffer_bytes(&put->value);
    return code;
}

static int read_mutable(const struct command_call *call, struct put *put)
{
    static const char *const names[] = {"salt", "seq", "cas"};
    const char *salt = command_value(call, "salt"), *path = command_value(call, "key-file");
    uint64_t seq = 0, cas = 0;

    for (size_t i = 0; !path && i < sizeof names / sizeof *names; i++)
        if (command_has(call, names[i]))
            return command_usage_error("--%s belongs to a mutable item (--key-file)", names[i]);
    if (!path)
        return EXIT_CODE_OK;
    if (!command_number(call, "seq", INT64_MAX, &seq) ||
        !command_number(call, "cas", INT64_MAX, &cas))
        return EXIT_CODE_USAGE;
    if (salt && strlen(salt) > LIMIT_DHT_SALT)
        return command_usage_error("--salt: at most %u bytes", LIMIT_DHT_SALT);
    if (salt)
        put->item.salt = (struct bytes){(const uint8_t *)salt, strlen(salt)};
    put->item.has_seq = true;
    put->item.seq = (int64_t)seq;
    put->item.has_cas = command_has(call, "cas");
    put->item.cas = (int64_t)cas;
    put->finds_seq = !command_has(call, "seq");
    int code = dht_key_file_open(path, &put->pair);
    put->item.key = put->pair.key;
    if (code == EXIT_CODE_OK)
        sign(put);
    return code;
}

static int put_run(struct command_call *call)
{
    static const struct dht_verb verb = {.begin = begin, .take = take, .end = end};
    struct put put = {.finds_seq = false};

    int code = read_value(call, &put);
    if (code == EXIT_CODE_OK)
        code = read_mutable(call, &put);
    if (code == EXIT_CODE_OK) {
        put.target = krpc_item_target(&put.item);
        code = dht_run(call, &verb, &put);
    }
    buffer_deinit(&put.value);
    return code;
}

static const struct command_option options[] = {
    {.name = "file", .argument = "FILE", .help = "put what is in the file; - is stdin"},
    {.name = "bencoded", .help = "it is bencode already, and need not be a string"},
    {.name = "key-file",
     .argument = "FILE",
     .help = "put a mutable item, signed by this key; made when there is none"},
    {.name = "salt", .argument = "TEXT", .help = "one of several items of the same key"},
    {.name = "seq", .argument = "N", .help = "number of this version (one more than is found)"},
    {.name = "cas", .argument = "N", .help = "only where the version there is number N"},
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_put_command;
const struct command dht_put_command = {
    .name = "dht put",
    .summary = "keep a small item in the DHT",
    .operands = "[TEXT]",
    .description =
        "Stores an item of at most 1,000 bytes (BEP 44) on the nodes nearest to its target, and "
        "prints the target, by which 'freshet dht get' finds it. They forget it after two hours.\n"
        "\n"
        "With --key-file the item is mutable: its target follows from the key (and the salt), and "
        "who has the key may replace it by a version of a higher number. The public key is printed "
        "on a second line. The file holds the private key as 64 hex digits; when it is not there, "
        "a "
        "key is made, readable by its owner alone.\n"
        "\n"
        "Ends with 9 when the nodes refuse it: a newer version is there, or another than --cas "
        "says.",
    .options = options,
    .examples = {"freshet dht put 'Hello World!'",
                 "freshet dht put --key-file news.key --salt today 'It rains.'",
                 "freshet dht put --bencoded --file item.bencode"},
    .operands_max = 1,
    .run = put_run,
};
