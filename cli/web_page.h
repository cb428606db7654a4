/* SPDX-License-Identifier: MIT */
/* The daemon's page in the desktop's browser. */
#ifndef FRESHET_CLI_WEB_PAGE_H
#define FRESHET_CLI_WEB_PAGE_H

#include "cli/daemon_client.h"

/* Where it is (keys rpc and token), as the daemon tells its own user; says what is wrong. */
enum exit_code web_page_find(struct daemon_client *client, json_t **ret_where);
/* Opens it with the token; where there is no opener, or with `print`, prints the address. */
void web_page_show(const json_t *where, bool print);

#endif
