/* SPDX-License-Identifier: MIT */
/* freshet top: the daemon's torrents on a terminal. */
#include <curses.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/daemon_client.h"
#include "cli/message.h"
#include "cli/terminal.h"
#include "cli/top_screen.h"

#define REFRESH_MS 1000

static const struct command_option options[] = {
    DAEMON_CLIENT_PLACE_OPTIONS,
    {0},
};

static const char *const list_fields[] = {
    "status", "error", "percent_done", "rate_download", "rate_upload", "size_when_done", NULL};
static const char *const detail_fields[] = {"status",
                                            "error",
                                            "error_string",
                                            "percent_done",
                                            "rate_download",
                                            "rate_upload",
                                            "size_when_done",
                                            "have_valid",
                                            "upload_ratio",
                                            "pieces",
                                            "piece_count",
                                            "peers_connected",
                                            "peers_sending_to_us",
                                            "peers_getting_from_us",
                                            "download_dir",
                                            "why",
                                            NULL};

struct top {
    struct daemon_client *client;
    struct top_screen screen;
    enum exit_code code; /* of the last call */
};

/* Who is refused is told why, and goes on; false: the daemon is gone. */
static bool call(struct top *top, const char *method, json_t *params, json_t **ret_result)
{
    top->code = daemon_client_call(top->client, method, params, ret_result);
    if (top->code != EXIT_CODE_REFUSED)
        return top->code == EXIT_CODE_OK;
    snprintf(top->screen.message, sizeof top->screen.message, "%s",
             daemon_client_words(top->client));
    top->code = EXIT_CODE_OK;
    return true;
}

static bool refresh_detail(struct top *top)
{
    json_t *fields = json_pack("[s, s, s]", "id", "name", "hash_string"), *result = NULL;

    for (size_t i = 0; detail_fields[i]; i++)
        json_array_append_new(fields, json_string(detail_fields[i]));
    if (!call(top, "torrent_get",
              json_pack("{s:o, s:[I]}", "fields", fields, "ids", (json_int_t)top->screen.chosen_id),
              &result))
        return false;
    json_t *row = json_incref(json_array_get(json_object_get(result, "torrents"), 0));
    json_decref(result);
    top_screen_take_detail(&top->screen, row);
    if (!row)
        top->screen.details = false;
    return true;
}

static bool refresh_all(struct top *top)
{
    json_t *rows;

    top->code = daemon_client_torrents(top->client, list_fields, &rows);
    if (top->code)
        return false;
    top_screen_take_rows(&top->screen, rows);
    return !top->screen.details || refresh_detail(top);
}

static bool act(struct top *top, const char *method)
{
    if (!top_screen_chosen(&top->screen))
        return true;
    return call(top, method, json_pack("{s:[I]}", "ids", (json_int_t)top->screen.chosen_id), NULL);
}

static bool start_or_stop(struct top *top)
{
    const json_t *row = top_screen_chosen(&top->screen);

    return act(top,
               row && daemon_client_number(row, "status") == 0 ? "torrent_start" : "torrent_stop");
}

/* Data stay; who wants them gone says so with `freshet rm --data`. */
static bool remove_chosen(struct top *top)
{
    struct top_screen *screen = &top->screen;
    const json_t *row = top_screen_chosen(screen);

    if (!row)
        return true;
    snprintf(screen->message, sizeof screen->message,
             "remove %.150s? its data stay. y removes, any other key does not",
             daemon_client_text(row, "name"));
    top_screen_draw(screen);
    timeout(-1);
    int key = getch();
    timeout(REFRESH_MS);
    screen->message[0] = '\0';
    return key != 'y' || act(top, "torrent_remove");
}

/* false: the end. */
static bool on_key(struct top *top, int key)
{
    struct top_screen *screen = &top->screen;

    screen->message[0] = '\0';
    switch (key) {
    case 'q': return false;
    case KEY_UP:
    case 'k': top_screen_move(screen, -1); break;
    case KEY_DOWN:
    case 'j': top_screen_move(screen, 1); break;
    case KEY_PPAGE: top_screen_move(screen, -LINES / 2); break;
    case KEY_NPAGE: top_screen_move(screen, LINES / 2); break;
    case KEY_HOME: top_screen_move(screen, INT32_MIN); break;
    case KEY_END: top_screen_move(screen, INT32_MAX); break;
    case 'o': top_screen_next_order(screen); return true;
    case '\n':
    case KEY_ENTER: screen->details = screen->chosen_id != 0; break;
    case 27:
    case KEY_LEFT: screen->details = false; break;
    case 's': return start_or_stop(top) && refresh_all(top);
    case 'c': return act(top, "torrent_verify") && refresh_all(top);
    case 'x': return remove_chosen(top) && refresh_all(top);
    default: return true;
    }
    return !screen->details || refresh_detail(top);
}

static void loop(struct top *top)
{
    bool on = true;

    while (on) {
        top_screen_draw(&top->screen);
        int key = getch();
        on = key == ERR || key == KEY_RESIZE ? refresh_all(top) : on_key(top, key);
    }
}

static void run_screen(struct top *top)
{
    initscr();
    cbreak();
    noecho();
    set_escdelay(50);
    keypad(stdscr, TRUE);
    curs_set(0);
    timeout(REFRESH_MS);
    loop(top);
    endwin();
}

static int top_run(struct command_call *call_of)
{
    struct top top = {0};

    if (!terminal_can_redraw(STDOUT_FILENO) || !terminal_is_interactive(STDIN_FILENO))
        return command_usage_error("top needs a terminal ('freshet ls' prints a list)");
    enum exit_code code = daemon_client_new(call_of, &top.client);
    if (code)
        return code;
    top_screen_init(&top.screen);
    if (refresh_all(&top)) {
        daemon_client_quiet(top.client, true);
        run_screen(&top);
        if (top.code)
            message_error("%s", daemon_client_words(top.client));
    }
    top_screen_deinit(&top.screen);
    daemon_client_free(top.client);
    return top.code;
}

extern const struct command top_command;
const struct command top_command = {
    .name = "top",
    .summary = "the daemon's torrents on a terminal",
    .operands = "",
    .description = "A list that is drawn anew every second. Keys: arrows (or j and k) choose, "
                   "enter shows one torrent with its pieces and its speed, esc goes back, s starts "
                   "or stops, c checks the data again, x removes (the data stay), o changes the "
                   "order, q ends.",
    .options = options,
    .examples = {"freshet top"},
    .run = top_run,
};
