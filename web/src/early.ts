// SPDX-License-Identifier: MIT
// What `first` has done before the page's script runs, and leaves for `api`.

// What `state` asks at first, written as it asks it.
export const FIRST_LIST = "/torrents?filter=all&sort=added&order=desc&offset=0&limit=100";
export const TOKEN_KEY = "freshet-token";
export const THEME_KEY = "freshet-theme";

export interface Early {
    token: string;
    path: string;
    answer: Promise<Response>;
    stop: AbortController;
}

declare global {
    var early: Early | undefined;
    var pressed: EventTarget | null | undefined; // the last click, while there is no script to hear it
    var press: ((event: Event) => void) | undefined;
}

export function headersFor(token: string) {
    // A form or a foreign page could not send the second one.
    const all: Record<string, string> = { Accept: "application/json", "X-Requested-With": "freshet" };
    if (token) all["Authorization"] = "Bearer " + token;
    return all;
}

export const OPTIONS = { credentials: "omit", cache: "no-store" } as const;
