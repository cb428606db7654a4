/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_pex.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"
#include "core/wire/wire_message.h"

#define IPV4_SIZE 6u
#define IPV6_SIZE 18u

/* One of the lists as it came: compact addresses of one family, and a byte of flags for each. */
struct contact_list {
    struct bytes addresses, flags;
    size_t entry_size;
};

static struct contact_list find_list(const struct bencode_value *root, const char *key,
                                     const char *flags_key, size_t entry_size)
{
    struct contact_list list = {.entry_size = entry_size};
    bencode_find_string(root, key, &list.addresses);
    if (flags_key)
        bencode_find_string(root, flags_key, &list.flags);
    return list;
}

static bool is_whole(const struct contact_list *list)
{
#ifdef FRESHET_PLANTED_BUG
    if (list->entry_size == IPV6_SIZE)
        return true;
#endif
    return list->addresses.length % list->entry_size == 0;
}

static size_t list_length(const struct contact_list *list)
{
    return (list->addresses.length + list->entry_size - 1) / list->entry_size;
}

/* Returns how many were read: at most `max`. */
static uint32_t read_contacts(const struct contact_list *list, uint32_t max,
                              struct wire_pex_contact *ret_contacts)
{
    uint32_t count = 0;
    for (; count < max && count < list_length(list); count++) {
        struct wire_pex_contact *contact = &ret_contacts[count];
        struct bytes entry = {list->addresses.data + count * list->entry_size, list->entry_size};
        *contact = (struct wire_pex_contact){0};
        address_from_compact(entry, &contact->address);
        if (count < list->flags.length)
            contact->flags = list->flags.data[count];
    }
    return count;
}

static enum freshet_error read_lists(const struct bencode_value *root, struct wire_pex *ret_pex)
{
    if (!bencode_is(root, BENCODE_DICT))
        return FRESHET_ERROR_SYNTAX;
    const struct contact_list added = find_list(root, "added", "added.f", IPV4_SIZE);
    const struct contact_list added6 = find_list(root, "added6", "added6.f", IPV6_SIZE);
    const struct contact_list dropped = find_list(root, "dropped", NULL, IPV4_SIZE);
    const struct contact_list dropped6 = find_list(root, "dropped6", NULL, IPV6_SIZE);
    if (!is_whole(&added) || !is_whole(&added6) || !is_whole(&dropped) || !is_whole(&dropped6))
        return FRESHET_ERROR_SYNTAX;
    const uint32_t max = WIRE_PEX_CONTACTS_MAX;
    uint32_t count = read_contacts(&added, max, ret_pex->added);
    count += read_contacts(&added6, max - count, ret_pex->added + count);
    ret_pex->added_count = count;
    count = read_contacts(&dropped, max, ret_pex->dropped);
    count += read_contacts(&dropped6, max - count, ret_pex->dropped + count);
    ret_pex->dropped_count = count;
    ret_pex->was_cut = list_length(&added) + list_length(&added6) > max ||
                       list_length(&dropped) + list_length(&dropped6) > max;
    return FRESHET_OK;
}

enum freshet_error wire_pex_decode(struct bytes payload, struct wire_pex *ret_pex)
{
    struct bencode document = {0};
    if (payload.length > LIMIT_EXTENDED_PAYLOAD)
        return FRESHET_ERROR_LIMIT;
    /* Deployed clients are careless about the order of keys and about bytes behind the end. */
    enum freshet_error error = bencode_parse(&document, payload, BENCODE_ANY_ORDER | BENCODE_TAIL);
    if (!error)
        error = read_lists(bencode_root(&document), ret_pex);
    bencode_deinit(&document);
    return error;
}

/* A list without entries is left out. */
static void put_string(struct buffer *out, const char *key, struct buffer *string)
{
    if (string->length) {
        bencode_writer_key(out, key);
        bencode_writer_string(out, buffer_bytes(string));
    }
    buffer_clear(string);
}

static void append_addresses(struct buffer *list, enum address_family family,
                             const struct wire_pex_contact *contacts, uint32_t count)
{
    uint8_t compact[IPV6_SIZE];
    for (uint32_t i = 0; i < count; i++)
        if (contacts[i].address.family == family)
            buffer_append(list, compact, address_to_compact(&contacts[i].address, compact));
}

static void append_flags(struct buffer *list, enum address_family family,
                         const struct wire_pex_contact *contacts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (contacts[i].address.family == family)
            buffer_append_u8(list, contacts[i].flags);
}

void wire_pex_put(struct buffer *out, uint8_t extended_id, const struct wire_pex *pex)
{
    struct buffer payload = {0}, list = {0};
    CHECK(extended_id != 0);
    CHECK(pex->added_count <= WIRE_PEX_CONTACTS_MAX);
    CHECK(pex->dropped_count <= WIRE_PEX_CONTACTS_MAX);
    bencode_writer_dict(&payload);
    append_addresses(&list, ADDRESS_IPV4, pex->added, pex->added_count);
    put_string(&payload, "added", &list);
    append_flags(&list, ADDRESS_IPV4, pex->added, pex->added_count);
    put_string(&payload, "added.f", &list);
    append_addresses(&list, ADDRESS_IPV6, pex->added, pex->added_count);
    put_string(&payload, "added6", &list);
    append_flags(&list, ADDRESS_IPV6, pex->added, pex->added_count);
    put_string(&payload, "added6.f", &list);
    append_addresses(&list, ADDRESS_IPV4, pex->dropped, pex->dropped_count);
    put_string(&payload, "dropped", &list);
    append_addresses(&list, ADDRESS_IPV6, pex->dropped, pex->dropped_count);
    put_string(&payload, "dropped6", &list);
    bencode_writer_end(&payload);
    wire_message_put_extended(out, extended_id, buffer_bytes(&payload));
    buffer_deinit(&payload);
    buffer_deinit(&list);
}
