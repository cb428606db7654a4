/* SPDX-License-Identifier: MIT */
#include "services/intake/feed_parser.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/base/url.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Names arrive as "URI|local"; without a name space, as "local". */
#define SEPARATOR '|'
#define ATOM      "http://www.w3.org/2005/Atom|"
#define EZRSS     "http://xmlns.ezrss.it/"
#define TORZNAB   "http://torznab.com/schemas/2015/feed|"
#define NEWZNAB   "http://www.newznab.com/DTD/2010/feeds/attributes/|"
#define TORRENT   "application/x-bittorrent"

enum feed_field {
    FIELD_NONE,
    FIELD_TITLE,
    FIELD_GUID,
    FIELD_LINK,
    FIELD_MAGNET,
    FIELD_HASH,
    FIELD_SIZE,
    FIELD_COUNT
};

struct parsing {
    XML_Parser parser;
    struct feed_document document;
    uint32_t depth, item_depth, elements; /* item_depth 0: outside of items */
    bool is_feed;                         /* the root was one */
    enum feed_field field;
    uint32_t field_depth;
    struct buffer texts[FIELD_COUNT]; /* of the item */
    struct buffer enclosure;          /* the best that an enclosure says */
    bool enclosure_is_torrent;
    struct buffer title; /* of the feed */
    char *reason;
    enum freshet_error error;
};

static void stop(struct parsing *parsing, enum freshet_error error, const char *words)
{
    if (parsing->error)
        return;
    parsing->error = error;
    snprintf(parsing->reason, FEED_PARSER_REASON_SIZE, "%s", words);
    XML_StopParser(parsing->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *separator = strrchr(name, SEPARATOR);

    return separator ? separator + 1 : name;
}

/* RSS has no name space; Atom has one. */
static bool is_plain(const char *name, const char *word)
{
    if (strncmp(name, ATOM, sizeof ATOM - 1) == 0)
        name += sizeof ATOM - 1;
    return strcmp(name, word) == 0;
}

static bool begins_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

static const char *attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void set_text(struct buffer *buffer, const char *text)
{
    size_t length = strlen(text);

    buffer_clear(buffer);
    buffer_append(buffer, text, length > LIMIT_URL_LENGTH ? LIMIT_URL_LENGTH : length);
}

/* ---- elements ---- */

/* An enclosure that says that it is a torrent goes before one that does not say what it is. */
static void take_enclosure(struct parsing *parsing, const char *url, const char *type,
                           const char *length)
{
    bool is_torrent = type && begins_with(type, TORRENT);

    if (!url || strlen(url) > LIMIT_URL_LENGTH || parsing->enclosure_is_torrent ||
        (parsing->enclosure.length > 0 && !is_torrent))
        return;
    set_text(&parsing->enclosure, url);
    parsing->enclosure_is_torrent = is_torrent;
    if (length && parsing->texts[FIELD_SIZE].length == 0)
        set_text(&parsing->texts[FIELD_SIZE], length);
}

static void take_atom_link(struct parsing *parsing, const char **attributes)
{
    const char *rel = attribute(attributes, "rel"), *href = attribute(attributes, "href");

    if (!href)
        return;
    if (rel && strcmp(rel, "enclosure") == 0)
        take_enclosure(parsing, href, attribute(attributes, "type"),
                       attribute(attributes, "length"));
    else if ((!rel || strcmp(rel, "alternate") == 0) && parsing->texts[FIELD_LINK].length == 0)
        set_text(&parsing->texts[FIELD_LINK], href);
}

static void take_attribute_element(struct parsing *parsing, const char **attributes)
{
    const char *name = attribute(attributes, "name"), *value = attribute(attributes, "value");

    if (!name || !value)
        return;
    if (strcmp(name, "magneturl") == 0)
        set_text(&parsing->texts[FIELD_MAGNET], value);
    else if (strcmp(name, "infohash") == 0)
        set_text(&parsing->texts[FIELD_HASH], value);
    else if (strcmp(name, "size") == 0)
        set_text(&parsing->texts[FIELD_SIZE], value);
}

/* The torrent: names may stand in an element of their own; all others right below the item. */
static enum feed_field field_of(const char *name, bool is_child)
{
    const char *local = local_name(name);

    if (begins_with(name, EZRSS)) {
        if (strcasecmp(local, "magnetURI") == 0)
            return FIELD_MAGNET;
        if (strcasecmp(local, "infoHash") == 0)
            return FIELD_HASH;
        return strcasecmp(local, "contentLength") == 0 ? FIELD_SIZE : FIELD_NONE;
    }
    if (!is_child)
        return FIELD_NONE;
    if (is_plain(name, "title"))
        return FIELD_TITLE;
    if (strcmp(name, "guid") == 0 || strcmp(name, ATOM "id") == 0)
        return FIELD_GUID;
    return strcmp(name, "link") == 0 ? FIELD_LINK : FIELD_NONE;
}

static void on_item_part(struct parsing *parsing, const char *name, const char **attributes)
{
    if (strcmp(name, "enclosure") == 0) {
        take_enclosure(parsing, attribute(attributes, "url"), attribute(attributes, "type"),
                       attribute(attributes, "length"));
    } else if (strcmp(name, ATOM "link") == 0) {
        take_atom_link(parsing, attributes);
    } else if (strcmp(name, TORZNAB "attr") == 0 || strcmp(name, NEWZNAB "attr") == 0) {
        take_attribute_element(parsing, attributes);
    } else if (parsing->field == FIELD_NONE) {
        parsing->field = field_of(name, parsing->depth == parsing->item_depth + 1);
        parsing->field_depth = parsing->depth;
        buffer_clear(&parsing->texts[parsing->field]);
    }
}

static void begin_item(struct parsing *parsing)
{
    parsing->item_depth = parsing->depth;
    for (int i = 0; i < FIELD_COUNT; i++)
        buffer_clear(&parsing->texts[i]);
    buffer_clear(&parsing->enclosure);
    parsing->enclosure_is_torrent = false;
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct parsing *parsing = context;

    if (++parsing->depth > LIMIT_FEED_DEPTH || ++parsing->elements > LIMIT_FEED_ELEMENTS) {
        stop(parsing, FRESHET_ERROR_LIMIT, "too deep, or too many elements");
        return;
    }
    if (parsing->depth == 1) {
        parsing->is_feed = strcmp(name, "rss") == 0 || strcmp(name, ATOM "feed") == 0;
        if (!parsing->is_feed)
            stop(parsing, FRESHET_ERROR_UNSUPPORTED, "it is neither RSS 2.0 nor Atom");
    } else if (parsing->item_depth > 0) {
        on_item_part(parsing, name, attributes);
    } else if (strcmp(name, "item") == 0 || strcmp(name, ATOM "entry") == 0) {
        begin_item(parsing);
    } else if (parsing->title.length == 0 && is_plain(name, "title") && parsing->depth <= 3) {
        parsing->field = FIELD_TITLE;
        parsing->field_depth = parsing->depth;
    }
}

static void on_text(void *context, const char *text, int length)
{
    struct parsing *parsing = context;
    struct buffer *buffer = parsing->item_depth ? &parsing->texts[parsing->field] : &parsing->title;
    size_t room;

    if (parsing->field == FIELD_NONE)
        return;
    room = buffer->length < LIMIT_URL_LENGTH ? LIMIT_URL_LENGTH - buffer->length : 0;
    buffer_append(buffer, text, (size_t)length < room ? (size_t)length : room);
}

/* ---- what an item comes to ---- */

/* The text without blanks around it, control characters as blanks, cut between characters. */
static char *line_of(const struct buffer *text, size_t length_max)
{
    size_t begin = 0, end = text->length;

    while (begin < end && text->data[begin] <= ' ')
        begin++;
    while (end > begin && text->data[end - 1] <= ' ')
        end--;
    if (end - begin > length_max) {
        end = begin + length_max;
        while (end > begin && (text->data[end] & 0xc0) == 0x80)
            end--;
    }
#ifdef FRESHET_PLANTED_BUG
    char *line = memory_new(end - begin < 64 ? end - begin : 64);
#else
    char *line = memory_new(end - begin + 1);
#endif
    for (size_t i = begin; i < end; i++)
        line[i - begin] = text->data[i] < ' ' || text->data[i] == 0x7f ? ' ' : (char)text->data[i];
    return line;
}

static bool is_magnet(const char *url)
{
    return begins_with(url, "magnet:?");
}

static bool is_hash(const char *text)
{
    size_t length = strlen(text);

    return length == 40 && strspn(text, "0123456789abcdefABCDEF") == length;
}

/* A magnet link needs no other server and goes first; a bare info-hash makes one; then what is said
 * to be a torrent; then the item's link, which in many feeds is the torrent. */
static char *link_of(struct parsing *parsing)
{
    char *candidates[] = {line_of(&parsing->texts[FIELD_MAGNET], LIMIT_URL_LENGTH),
                          line_of(&parsing->enclosure, LIMIT_URL_LENGTH),
                          line_of(&parsing->texts[FIELD_LINK], LIMIT_URL_LENGTH)};
    char *hash = line_of(&parsing->texts[FIELD_HASH], LIMIT_URL_LENGTH), *link = NULL;

    for (int i = 0; i < 3 && !link; i++)
        if (is_magnet(candidates[i]) || (i > 0 && url_is_http(candidates[i])))
            link = memory_copy(candidates[i], strlen(candidates[i]) + 1);
    /* Better than a page of a site, which a link without an enclosure may be. */
    if (is_hash(hash) && (!link || (!is_magnet(link) && candidates[1][0] == '\0'))) {
        memory_free(link);
        link = memory_new(80);
        snprintf(link, 80, "magnet:?xt=urn:btih:%s", hash);
    }
    for (int i = 0; i < 3; i++)
        memory_free(candidates[i]);
    memory_free(hash);
    return link;
}

static void end_item(struct parsing *parsing)
{
    struct feed_document *document = &parsing->document;

    parsing->item_depth = 0;
    if (document->count == LIMIT_FEED_ITEMS)
        return;
    if (!document->items)
        document->items = memory_new_array(LIMIT_FEED_ITEMS, sizeof *document->items);
    struct feed_item *item = &document->items[document->count++];
    char *size = line_of(&parsing->texts[FIELD_SIZE], 20);
    item->title = line_of(&parsing->texts[FIELD_TITLE], LIMIT_FEED_TITLE);
    item->guid = line_of(&parsing->texts[FIELD_GUID], LIMIT_URL_LENGTH);
    item->link = link_of(parsing);
    item->size = strspn(size, "0123456789") == strlen(size) ? strtoull(size, NULL, 10) : 0;
    memory_free(size);
    if (item->guid[0] == '\0') {
        const char *instead = item->link ? item->link : item->title;
        memory_free(item->guid);
        item->guid = memory_copy(instead, strlen(instead) + 1);
    }
}

static void on_end(void *context, const char *name)
{
    struct parsing *parsing = context;

    (void)name;
    if (parsing->field != FIELD_NONE && parsing->field_depth == parsing->depth)
        parsing->field = FIELD_NONE;
    if (parsing->item_depth == parsing->depth)
        end_item(parsing);
    parsing->depth--;
}

static void on_doctype(void *context, const char *name, const char *system, const char *public,
                       int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    stop(context, FRESHET_ERROR_REFUSED, "it has a document type, which may hide anything");
}

/* ---- life ---- */

static void run(struct parsing *parsing, struct bytes text)
{
    XML_SetUserData(parsing->parser, parsing);
    XML_SetElementHandler(parsing->parser, on_start, on_end);
    XML_SetCharacterDataHandler(parsing->parser, on_text);
    XML_SetStartDoctypeDeclHandler(parsing->parser, on_doctype);
    if (XML_Parse(parsing->parser, (const char *)text.data, (int)text.length, 1) ==
            XML_STATUS_ERROR &&
        !parsing->error) {
        parsing->error = FRESHET_ERROR_SYNTAX;
        snprintf(parsing->reason, FEED_PARSER_REASON_SIZE, "line %lu: %s",
                 (unsigned long)XML_GetCurrentLineNumber(parsing->parser),
                 XML_ErrorString(XML_GetErrorCode(parsing->parser)));
    }
}

enum freshet_error feed_parser_parse(struct bytes text, char ret_reason[FEED_PARSER_REASON_SIZE],
                                     struct feed_document *ret_document)
{
    struct parsing parsing = {.reason = ret_reason};

    ret_reason[0] = '\0';
    if (text.length > LIMIT_FEED_SIZE) {
        snprintf(ret_reason, FEED_PARSER_REASON_SIZE, "more than %u bytes", LIMIT_FEED_SIZE);
        return FRESHET_ERROR_LIMIT;
    }
    parsing.parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (!parsing.parser)
        return FRESHET_ERROR_MEMORY;
    run(&parsing, text);
    XML_ParserFree(parsing.parser);
    parsing.document.title = line_of(&parsing.title, LIMIT_FEED_TITLE);
    for (int i = 0; i < FIELD_COUNT; i++)
        buffer_deinit(&parsing.texts[i]);
    buffer_deinit(&parsing.enclosure);
    buffer_deinit(&parsing.title);
    if (parsing.error) {
        feed_parser_deinit(&parsing.document);
        return parsing.error;
    }
    *ret_document = parsing.document;
    return FRESHET_OK;
}

void feed_parser_deinit(struct feed_document *document)
{
    for (uint32_t i = 0; i < document->count; i++) {
        memory_free(document->items[i].title);
        memory_free(document->items[i].guid);
        memory_free(document->items[i].link);
    }
    memory_free(document->items);
    memory_free(document->title);
    memset(document, 0, sizeof *document);
}
