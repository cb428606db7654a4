/* SPDX-License-Identifier: MIT */
/* What the engine wants done, handed to the part that does it. */
#ifndef FRESHET_HOST_SESSION_ACTIONS_H
#define FRESHET_HOST_SESSION_ACTIONS_H

#include "host/session_parts.h"

void session_actions_perform(struct session *session, const struct action *action);

#endif
