// SPDX-License-Identifier: MIT
import { hydrate } from "preact";
import "@preact/signals";
import { App } from "./app";
import { begin, search } from "./state";
import { followTheme } from "./theme";

// What was typed before the script ran is kept.
search.value = (document.getElementById("search") as HTMLInputElement | null)?.value ?? "";
// The frame of the page is there; what a person chose differently is drawn after it is taken over.
hydrate(<App />, document.getElementById("page")!);
followTheme();
begin();
if (globalThis.press) removeEventListener("click", globalThis.press, true);
const pressed = globalThis.pressed;
if (pressed instanceof Element) setTimeout(() => pressed.closest<HTMLElement>("button")?.click());
