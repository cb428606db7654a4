/* SPDX-License-Identifier: MIT */
/* Downloads a torrent with libfreshet:
 *     cc download.c -o download $(pkg-config --cflags --libs freshet)
 *     ./download FILE|MAGNET|INFOHASH FOLDER [PEER] */
#include <freshet/freshet.h>

#include <stdio.h>
#include <stdlib.h>

static int over; /* 1: complete, -1: it failed */

static void on_event(void *context, const struct freshet_event *event)
{
    (void)context;
    if (event->text[0])
        fprintf(stderr, "%s\n", event->text);
    if (event->type == FRESHET_EVENT_COMPLETE)
        over = 1;
    if (event->type == FRESHET_EVENT_ERROR)
        over = -1;
}

static void show(struct freshet *session, uint32_t torrent)
{
    struct freshet_status status = {.size = sizeof status};
    char name[256] = "";

    freshet_name(session, torrent, name, sizeof name);
    if (freshet_status(session, torrent, &status) == FRESHET_DONE)
        printf("%s: %u of %u pieces, %u peers, %llu bytes/s\n", name, status.pieces_have,
               status.pieces, status.peers, (unsigned long long)status.download_rate);
}

int main(int count, char **words)
{
    struct freshet *session;
    char why[FRESHET_TEXT_SIZE];
    uint32_t torrent;

    if (count < 3) {
        fprintf(stderr, "usage: %s FILE|MAGNET|INFOHASH FOLDER [PEER]\n", words[0]);
        return 2;
    }
    if (freshet_new(NULL, &session, why) != FRESHET_DONE) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    freshet_on_event(session, on_event, NULL);
    if (freshet_add(session, words[1], words[2], 0, &torrent, why) != FRESHET_DONE) {
        fprintf(stderr, "%s\n", why);
        over = -1;
    } else if (count > 3) {
        freshet_add_peer(session, torrent, words[3]);
    }
    while (!over && freshet_run(session, 1000) == FRESHET_DONE)
        show(session, torrent);
    freshet_free(session);
    return over == 1 ? 0 : 1;
}
