/* SPDX-License-Identifier: MIT */
/* freshet dht get: an item that somebody put (BEP 44). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/dht_run.h"
#include "cli/message.h"
#include "cli/terminal.h"
#include "core/bencode/bencode.h"
#include "core/crypto/sha1.h"
#include "host/clock.h"

struct get {
    struct dht_id target;
    struct bytes salt;
    bool has_item;
    struct address from;
    struct dht_item item; /* the newest */
};

static void begin(struct dht_run *run, struct dht_node *node)
{
    struct get *get = run->context;

    dht_run_began(run, dht_node_get(node, clock_now(), &get->target, get->salt));
}

static void take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    struct get *get = run->context;

    (void)node;
    if (result->type != DHT_RESULT_ITEM)
        return;
    /* Each family's node tells ever newer ones, but knows nothing of the other's. */
    if (get->has_item && get->item.item.seq >= result->item.seq)
        return;
    get->has_item = true;
    get->from = result->from;
    dht_item_init(&get->item, &result->item);
    if (!result->item.key) /* there is no newer one */
        dht_run_enough(run);
}

static void print_value(struct bytes value)
{
    char text[LIMIT_DHT_VALUE + 1], safe[4 * LIMIT_DHT_VALUE];
    struct bencode document = {0};
    struct bytes plain = value;

    if (bencode_parse(&document, value, BENCODE_ANY_ORDER) == FRESHET_OK)
        bencode_string(bencode_root(&document), &plain);
    if (terminal_is_interactive(STDOUT_FILENO)) {
        memcpy(text, plain.data, plain.length);
        text[plain.length] = '\0';
        puts(terminal_safe_text(text, safe, sizeof safe));
    } else {
        fwrite(plain.data, 1, plain.length, stdout);
    }
    bencode_deinit(&document);
}

static void set_hex(json_t *object, const char *key, const uint8_t *bytes, size_t length)
{
    char hex[2 * LIMIT_DHT_VALUE + 1];

    bytes_to_hex(bytes, length, hex);
    json_object_set_new(object, key, json_string(hex));
}

static void print_json(const struct get *get)
{
    const struct krpc_item *item = &get->item.item;
    json_t *object = json_object();
    struct bencode document = {0};
    char from[ADDRESS_TEXT_SIZE];
    struct bytes text;

    address_to_text(&get->from, from);
    set_hex(object, "target", get->target.bytes, DHT_ID_SIZE);
    json_object_set_new(object, "from", json_string(from));
    set_hex(object, "bencoded", item->value.data, item->value.length);
    if (bencode_parse(&document, item->value, BENCODE_ANY_ORDER) == FRESHET_OK &&
        bencode_string(bencode_root(&document), &text)) {
        json_t *value = json_stringn((const char *)text.data, text.length);
        if (value) /* NULL: no UTF-8 */
            json_object_set_new(object, "value", value);
    }
    bencode_deinit(&document);
    if (item->key) {
        set_hex(object, "key", item->key, KRPC_KEY_SIZE);
        set_hex(object, "signature", item->signature, KRPC_SIGNATURE_SIZE);
        set_hex(object, "salt", item->salt.data, item->salt.length);
        json_object_set_new(object, "seq", json_integer(item->seq));
    }
    dht_run_print_json(object);
}

static int end(struct dht_run *run)
{
    const struct get *get = run->context;

    if (get->has_item) {
        if (run->is_json)
            print_json(get);
        else
            print_value(get->item.item.value);
        return EXIT_CODE_OK;
    }
    if (run->is_late)
        message_error("not found in time (--timeout gives it more)");
    else
        message_error("no such item: %" PRIu32 " nodes answered, and nobody has it", run->answered);
    return EXIT_CODE_NETWORK;
}

/* The target of a mutable item is made of its key and salt. */
static bool read_key(const struct command_call *call, struct get *get)
{
    const char *text = command_value(call, "key");
    uint8_t key[KRPC_KEY_SIZE];

    if (!bytes_from_hex((struct bytes){(const uint8_t *)text, strlen(text)}, key, sizeof key)) {
        command_usage_error("--key '%.80s' is no public key (64 hex digits)", text);
        return false;
    }
    struct krpc_item item = {.key = key, .salt = get->salt};
    get->target = krpc_item_target(&item);
    return true;
}

static int get_run(struct command_call *call)
{
    static const struct dht_verb verb = {.begin = begin, .take = take, .end = end};
    struct get get = {.has_item = false};
    const char *salt = command_value(call, "salt");

    if (salt)
        get.salt = (struct bytes){(const uint8_t *)salt, strlen(salt)};
    if (get.salt.length > LIMIT_DHT_SALT)
        return command_usage_error("--salt: at most %u bytes", LIMIT_DHT_SALT);
    if (command_has(call, "key") == (command_operand_count(call) == 1))
        return command_usage_error("either a TARGET or --key, not both, not neither");
    if (command_has(call, "key") ? !read_key(call, &get)
                                 : !dht_run_read_target(command_operand(call, 0), &get.target))
        return EXIT_CODE_USAGE;
    return dht_run(call, &verb, &get);
}

static const struct command_option options[] = {
    {.name = "key", .argument = "HEX", .help = "the public key of a mutable item"},
    {.name = "salt", .argument = "TEXT", .help = "the salt of a mutable item"},
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_get_command;
const struct command dht_get_command = {
    .name = "dht get",
    .summary = "get an item that somebody put",
    .operands = "[TARGET]",
    .description =
        "Prints the item (BEP 44) that is kept under a target, 40 hex digits, or under a public "
        "key and perhaps a salt. It is believed only if its hash or its signature says that it is "
        "the one; of a mutable item the newest that is found is printed.\n"
        "\n"
        "A string is printed as the bytes that it is, nothing added, unless to a terminal; "
        "anything "
        "else as bencode. With --json there are also seq, signature and who had it.\n"
        "\n"
        "Ends with 4 when nobody answers or nobody has it.",
    .options = options,
    .examples = {"freshet dht get e5f96f6f38320f0f33959cb4d3d656452117aadb",
                 "freshet dht get --key PUBLIC-KEY --salt news",
                 "freshet dht get --json e5f96f6f38320f0f33959cb4d3d656452117aadb"},
    .operands_max = 1,
    .run = get_run,
};
