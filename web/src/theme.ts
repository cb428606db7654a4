// SPDX-License-Identifier: MIT
// Light or dark: as the system says, until a person says otherwise.
import { effect, signal } from "@preact/signals";
import { THEME_KEY } from "./early";

export type Theme = "system" | "light" | "dark";

function kept(): Theme {
    try {
        const value = localStorage.getItem(THEME_KEY);
        return value === "light" || value === "dark" ? value : "system";
    } catch {
        return "system";
    }
}

export const theme = signal<Theme>(kept());
const system = matchMedia("(prefers-color-scheme: dark)");
export const isDark = signal(false);

export function followTheme() {
    effect(() => {
        const root = document.documentElement;
        if (theme.value === "system") root.removeAttribute("data-theme");
        else root.setAttribute("data-theme", theme.value);
        isDark.value = theme.value === "dark" || (theme.value === "system" && system.matches);
        try {
            localStorage.setItem(THEME_KEY, theme.value);
        } catch { /* then it holds until the page is closed */ }
    });
    system.addEventListener("change", () => {
        if (theme.value === "system") isDark.value = system.matches;
    });
}

export function switchTheme() {
    theme.value = isDark.value ? "light" : "dark";
}

// A colour of the style sheet, for canvases.
export function colour(name: string) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
