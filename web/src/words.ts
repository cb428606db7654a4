// SPDX-License-Identifier: MIT
// What a row is doing, in a few words and one of a few colours.
import type { Row } from "./api";
import { duration, rate } from "./format";

export function kindOf(row: Row): string {
    if (row.trouble === "local") return "bad";
    switch (row.phase) {
        case "downloading": return row.metadata_missing ? "wait" : "down";
        case "seeding": return "seed";
        case "checking": case "moving": case "removing": return "work";
        case "stopped": return row.complete ? "done" : "still";
        default: return "wait";
    }
}

export function statusOf(row: Row): string {
    if (row.trouble === "local") return row.trouble_text ?? "Trouble";
    switch (row.phase) {
        case "stopped":
            return row.choose_files && !row.metadata_missing ? "Choose files" : row.complete ? "Finished" : "Stopped";
        case "wait-check": return "Waits for its check";
        case "checking": return "Checking";
        case "wait-download": return "Queued";
        case "wait-seed": return "Queued to seed";
        case "moving": return "Moving";
        case "removing": return "Removing";
        case "seeding": return row.peers_up > 0 ? "Seeding" : "Seeding, nobody asks";
        case "downloading":
            if (row.metadata_missing) return "Fetching metadata";
            if (row.rate_down > 0) return "Downloading";
            return row.peers > 0 ? "Waiting for peers" : "Looking for peers";
    }
}

export function etaOf(row: Row): string {
    return row.eta === null ? "" : duration(row.eta);
}

export function ratesOf(row: Row): string {
    const parts = [];
    if (row.rate_down > 0) parts.push("↓ " + rate(row.rate_down));
    if (row.rate_up > 0) parts.push("↑ " + rate(row.rate_up));
    return parts.join("  ");
}

export const SOURCES: Record<string, string> = {
    user: "by hand", lan: "local network", tracker: "tracker", resume: "last run",
    inbound: "came to us", dht: "DHT", pex: "peer exchange",
};
