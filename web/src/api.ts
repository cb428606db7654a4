// SPDX-License-Identifier: MIT
// What the daemon says and how it is asked. Shapes as services/api/openapi.json has them.
import { headersFor, OPTIONS, TOKEN_KEY } from "./early";

export type Phase =
    | "stopped" | "wait-check" | "checking" | "wait-download" | "downloading"
    | "wait-seed" | "seeding" | "moving" | "removing";
export type Trouble = "none" | "tracker-warning" | "tracker" | "local";

export interface Row {
    id: number;
    hash: string;
    name: string;
    phase: Phase;
    running: boolean;
    complete: boolean;
    private: boolean;
    metadata_missing: boolean;
    choose_files: boolean;
    trouble: Trouble;
    trouble_text: string | null;
    labels: string[];
    progress: number;
    total: number;
    wanted: number;
    verified: number;
    downloaded: number;
    uploaded: number;
    ratio: number;
    rate_down: number;
    rate_up: number;
    eta: number | null;
    peers: number;
    peers_down: number;
    peers_up: number;
    seeds: number;
    queue: number;
    added: number;
    finished: number;
    active: number;
}

export interface Wishes {
    upload_limit: number;
    upload_limited: boolean;
    download_limit: number;
    download_limited: boolean;
    honors_session_limits: boolean;
    sequential: boolean;
    super_seed: boolean;
    bandwidth_priority: number;
    peers_max: number;
    upload_slots: number;
    ratio_mode: "global" | "own" | "unlimited";
    ratio_goal: number;
    idle_mode: "global" | "own" | "unlimited";
    idle_minutes: number;
    seed_time: number | null;
    transport: "any" | "tcp" | "utp";
}

export interface Detail extends Row, Wishes {
    folder: string;
    why: string;
    magnet: string;
    comment: string | null;
    creator: string | null;
    created: number;
    source: string | null;
    files: number;
    pieces: number;
    piece_length: number;
    corrupt: number;
    wasted: number;
    seconds_downloading: number;
    seconds_seeding: number;
    peers_by_source: Record<string, number>;
}

export interface Totals {
    all: number;
    downloading: number;
    seeding: number;
    stopped: number;
    finished: number;
    active: number;
    trouble: number;
}

export interface Label { name: string; count: number }

export interface Window {
    revision: number;
    run: string;
    offset: number;
    matching: number;
    totals: Totals;
    labels: Label[];
    rate_down: number;
    rate_up: number;
    alt_enabled: boolean;
    rows: Row[];
}

export interface Delta extends Window {
    ids: number[];
    removed: number[];
    everything: boolean;
}

export interface FileEntry {
    index: number;
    path: string;
    length: number;
    done: number;
    priority: number;
    padding: boolean;
}

export interface Peer {
    address: string;
    client: string;
    source: string;
    inbound: boolean;
    seed: boolean;
    am_choking: boolean;
    am_interested: boolean;
    peer_choking: boolean;
    peer_interested: boolean;
    snubbed: boolean;
    optimistic: boolean;
    encrypted: boolean;
    utp: boolean;
    progress: number;
    rate_down: number;
    rate_up: number;
    downloaded: number;
    uploaded: number;
}

export interface Tracker {
    url: string;
    tier: number;
    state: string;
    message: string | null;
    seeds: number | null;
    leeches: number | null;
    peers: number | null;
    last: number | null;
    next: number | null;
}

export interface FetchPeer { address: string | null; client: string; asked: number; received: number }

export interface Fetch { piece: number; blocks: number; asked: number; received: number; peers: FetchPeer[] }

export interface Pieces {
    count: number;
    length: number;
    have: string;
    fetching: Fetch[];
    availability: string | null;
}

export interface Inspection {
    name: string;
    hash: string;
    size: number;
    private: boolean;
    comment: string | null;
    files: { path: string; length: number }[];
    exists: number | null;
}

export interface Settings {
    download_folder: string;
    incomplete_folder: string;
    incomplete_enabled: boolean;
    part_suffix: boolean;
    start_added: boolean;
    upload_limit: number;
    upload_limited: boolean;
    download_limit: number;
    download_limited: boolean;
    alt_upload_limit: number;
    alt_download_limit: number;
    alt_enabled: boolean;
    schedule_enabled: boolean;
    schedule_begin: number;
    schedule_end: number;
    schedule_days: number;
    ratio_limited: boolean;
    ratio: number;
    idle_limited: boolean;
    idle_minutes: number;
    download_queue_enabled: boolean;
    download_queue: number;
    seed_queue_enabled: boolean;
    seed_queue: number;
    queue_stalled_enabled: boolean;
    queue_stalled_minutes: number;
    peers_max: number;
    peers_per_torrent: number;
    upload_slots: number;
    peer_port: number;
    pex: boolean;
    dht: boolean;
    lsd: boolean;
    utp: boolean;
    encryption: "require" | "prefer" | "allow" | "off";
    port_mapping: boolean;
    blocklist_url: string;
    blocklist_enabled: boolean;
    default_trackers: string[];
}

export interface Stats {
    version: string;
    rate_down: number;
    rate_up: number;
    uploaded_run: number;
    downloaded_run: number;
    seconds_run: number;
    uploaded: number;
    downloaded: number;
    seconds: number;
    sessions: number;
    torrents: number;
    blocklist_rules: number;
    state_trouble: string | null;
}

interface AnyRule {
    id: number;
    folder: string | null;
    stopped: boolean;
    labels: string[];
}

export interface WatchRule extends AnyRule { path: string; after: "keep" | "rename" | "delete" }

export interface FeedRule extends AnyRule {
    url: string;
    interval: number;
    include: string[];
    exclude: string[];
    once: boolean;
}

export interface IntakeEntry<Rule> {
    rule: Rule;
    status: { looked: number; taken: number; found: number; title: string; trouble: string };
}

export interface FeedItem { title: string; link: string; size: number; fits: boolean; taken: boolean }

export interface LogLine { number: number; time: number; level: string; event: string; fields: Record<string, unknown> }

export interface Load { waiting: number; running: number; threads: number; rate: number; bytes: number }

export interface Pipeline { hashing: Load; writing: Load }

export interface TorrentPipeline {
    fetching: number;
    hashing: number;
    waiting: number;
    writing: number;
    verified: number;
    durable: number;
    pieces: number;
    checking: number;
    checked: number;
    total: number;
}

export interface DhtNode { id: string; shared: number; state: "good" | "questionable" | "bad" }

export interface DhtFamily { family: string; id: string; nodes: DhtNode[] }

export interface Dht { enabled: boolean; families: DhtFamily[] }

export interface Space { folder: string; free: number; total: number }

export class Refused extends Error {
    status: number;
    constructor(status: number, text: string) {
        super(text);
        this.status = status;
    }
}

// What went wrong, for a person.
export const words = (error: unknown) => error instanceof Error ? error.message : String(error);

let early = globalThis.early;
globalThis.early = undefined; // nobody else needs to find it
let token = early?.token ?? "";
let session = "";

export function setToken(text: string) {
    token = text;
    try {
        if (text) sessionStorage.setItem(TOKEN_KEY, text);
        else sessionStorage.removeItem(TOKEN_KEY);
    } catch { /* a browser that keeps nothing asks again each time */ }
}

export function hasToken() {
    return token !== "";
}

function headers(body: unknown) {
    const all = headersFor(token);
    if (session) all["X-Transmission-Session-Id"] = session;
    if (body !== undefined) all["Content-Type"] = "application/json";
    return all;
}

// The answer to the first question may be under way since before this script ran.
function taken(method: string, path: string, signal?: AbortSignal) {
    const one = early;
    early = undefined;
    if (!one || method !== "GET" || one.path !== path || one.token !== token) {
        one?.stop.abort();
        return null;
    }
    signal?.addEventListener("abort", () => one.stop.abort());
    return one.answer;
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal) {
    for (let turn = 0; ; turn++) {
        const answer = await (taken(method, path, signal) ?? fetch("/api/v1" + path, {
            method,
            headers: headers(body),
            body: body === undefined ? null : JSON.stringify(body),
            ...OPTIONS,
            signal: signal ?? null,
        }));
        const id = answer.headers.get("X-Transmission-Session-Id");
        if (id) session = id;
        if (answer.status === 409 && id && turn === 0) continue;
        return answer;
    }
}

export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, read = parse) {
    const answer = await send(method, path, body, signal);
    const text = await answer.text();
    let json: unknown = null;
    try {
        json = text ? read(text) : null;
    } catch {
        if (answer.ok) throw new Refused(answer.status, "the daemon's answer is no JSON");
    }
    if (!answer.ok) {
        const said = (json as { error?: unknown } | null)?.error;
        throw new Refused(answer.status, typeof said === "string" ? said
            : answer.status === 429 ? "too many wrong tokens; wait a little"
                : answer.statusText || "the daemon says no, " + answer.status);
    }
    return json as T;
}

// Marks that turn the writing direction, and control characters, have no place in what is shown: a
// name is not to look like another one. The daemon strips them from paths; peers and trackers may
// say anything.
const MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export const unmarked = (text: string) => text.replace(MARKS, "");

function parse(text: string): unknown {
    return JSON.parse(unmarked(text));
}

// With their marks, since that is what they are called by.
export const labelsOf = (ids: number[]) =>
    ask<{ labels: Label[]; counted: number }>("POST", "/torrents/labels", { ids }, undefined, JSON.parse);

// Server-sent events by fetch, since an EventSource cannot carry a token. Ends when the stream does.
export async function listen(path: string, heard: (data: unknown) => void, signal: AbortSignal) {
    const answer = await send("GET", path, undefined, signal);
    if (!answer.ok || !answer.body) throw new Refused(answer.status, answer.statusText);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        rest += value;
        for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
            for (const line of rest.slice(0, end).split("\n")) {
                if (line.startsWith("data: ")) heard(parse(line.slice(6)));
            }
            rest = rest.slice(end + 2);
        }
    }
}

export const get = <T>(path: string, signal?: AbortSignal) => ask<T>("GET", path, undefined, signal);
export const post = <T>(path: string, body: unknown = {}) => ask<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown) => ask<T>("PATCH", path, body);

export function query(values: Record<string, string | number | undefined>) {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(values)) {
        if (value !== undefined && value !== "") search.set(key, String(value));
    }
    return "?" + search.toString();
}
