// SPDX-License-Identifier: MIT
// What this page has seen happen, newest first; a few of the last ones show up for a while.
import { signal } from "@preact/signals";

export type Kind = "good" | "info" | "warn" | "bad";

export interface Entry { number: number; time: number; kind: Kind; text: string; about: string }

const KEPT = 500;
let numbers = 0;

export const entries = signal<Entry[]>([]);
export const toasts = signal<Entry[]>([]);

export function note(kind: Kind, text: string, about = "", loud = kind !== "info") {
    const entry = { number: ++numbers, time: Date.now() / 1000, kind, text, about };
    entries.value = [entry, ...entries.value].slice(0, KEPT);
    if (!loud) return;
    toasts.value = [...toasts.value.slice(-3), entry];
    setTimeout(() => dismiss(entry.number), kind === "bad" ? 9000 : 5000);
}

export function dismiss(number: number) {
    toasts.value = toasts.value.filter((entry) => entry.number !== number);
}
