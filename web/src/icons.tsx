// SPDX-License-Identifier: MIT
// Line icons of our own, 24 units wide.

const PATHS = {
    down: "M12 4v14m-6-6 6 6 6-6",
    up: "M12 20V6m-6 6 6-6 6 6",
    play: "M8 5.5v13l10.5-6.5z",
    pause: "M8.5 5v14M15.5 5v14",
    plus: "M12 5v14M5 12h14",
    bin: "M4 7h16M9.5 7V4.500h5V7M6 7l1 12.500h10L18 7M10 11v5M14 11v5",
    gear: "M12 8.800a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.400zM12 3v2.800M12 18.200V21M3 12h2.800M18.2 12H21M5.6 5.600l2 2M16.4 16.400l2 2M18.4 5.600l-2 2M7.6 16.400l-2 2",
    sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M18.7 5.300l-1.4 1.400M6.7 17.300l-1.4 1.4",
    moon: "M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500z",
    search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.8-4.8",
    close: "M6 6l12 12M18 6 6 18",
    tag: "M4 12V4.500h7.500L20 13l-7 7.500zM8.2 8.700h.01",
    gauge: "M4 17.500a8.5 8.5 0 1 1 16 0M12 15l4-5.5",
    share: "M6.5 9.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM17.5 3.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM17.5 15.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM8.8 10.800l6.5-3.600M8.8 13.200l6.5 3.6",
    check: "M5 12.500l4.5 4.500L19 7.5",
    more: "M12 5.500h.01M12 12h.01M12 18.500h.01",
    list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
    warn: "M12 4 2.8 19.500h18.400zM12 10v4.500M12 17h.01",
    folder: "M3.5 6.500V19h17V8.500h-9l-2-2.500h-6z",
    file: "M6.5 3.500h7.500l4 4.500v12.500h-11.500zM14 3.500V8h4",
    recheck: "M20 12a8 8 0 1 1-2.5-5.800M20 4v4.500h-4.5",
    back: "M15 5l-7 7 7 7",
    right: "M9.5 6l6 6-6 6",
    feed: "M5 5a14 14 0 0 1 14 14M5 11a8 8 0 0 1 8 8M6 18h.01",
    intake: "M12 3.500v10m-4-4 4 4 4-4M4 13v6.500h16V13",
    log: "M5 4.500h14v15H5zM8.5 9h7M8.5 12.500h7M8.5 16h4",
    rings: "M12 3.5a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM12 8.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM6 6h.01M20.500 12h.01M9 15h.01",
    turtle: "M4 15.500h13.500c2 0 3-1 3-2.500s-1-2.2-2.2-2.200c-1 0-1.8.7-1.8 1.700M5.5 15.500c0-5 2.5-7.5 5.5-7.500s5 2 5.5 5M7 15.500V18M14 15.500V18",
    help: "M9 9.200a3 3 0 1 1 4.5 2.600c-1 .6-1.5 1.2-1.5 2.400M12 17.500h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
    key: "M15 4a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM11.5 12.5 4 20v0M6.5 17.500l2 2M9 15l2 2",
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
    return (
        <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true"
            fill={name === "play" ? "currentColor" : "none"} stroke="currentColor"
            stroke-width={name === "more" || name === "list" ? 2.6 : 1.8} stroke-linecap="round"
            stroke-linejoin="round">
            <path d={PATHS[name]} />
        </svg>
    );
}

export function Logo() {
    return (
        <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="8" class="logo-ground" />
            <path d="M16 6v13m-5.5-5.500L16 19l5.5-5.500M7 25.500q4.5-3 9 0t9 0" fill="none" stroke="#fff"
                stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
    );
}
