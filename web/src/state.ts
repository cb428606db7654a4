// SPDX-License-Identifier: MIT
// What the page knows: one window of the list, asked from the daemon as it scrolls and kept fresh
// by deltas; what is selected; what is open. Components read signals and call functions from here.
import { batch, computed, effect, signal } from "@preact/signals";
import { type Delta, get, type Label, listen, post, query, Refused, type Row, type Stats, type Totals, type Window } from "./api";
import { note } from "./log";

export type Filter = "all" | "downloading" | "seeding" | "active" | "stopped" | "finished" | "trouble";
export type Sort =
    | "name" | "total" | "progress" | "phase" | "rate_down" | "rate_up" | "eta" | "ratio"
    | "peers" | "added" | "queue";

const CHUNK = 100; // rows asked at once; the window that is kept fresh is at most two of them
const POLL_MS = 1000;
const POLL_HIDDEN_MS = 10000;

export const login = signal<"unknown" | "needed" | "in">("unknown");
export const offline = signal(false);
export const filter = signal<Filter>("all");
export const label = signal("");
export const search = signal("");
export const sort = signal<Sort>("added");
export const descending = signal(true);

export const matching = signal(0);
export const totals = signal<Totals>({
    all: 0, downloading: 0, seeding: 0, stopped: 0, finished: 0, active: 0, trouble: 0,
});
export const labels = signal<Label[]>([]);
export const speed = signal({ down: 0, up: 0 });
export const altEnabled = signal(false);
export const stats = signal<Stats | null>(null);
export const loaded = signal(false);

// Grows with every change of rows or order; the list reads it and then the plain maps below.
export const generation = signal(0);
const rows = new Map<number, Row>();
let order: number[] = []; // sparse: index in the list -> id
let revision = 0;
let run = ""; // of the daemon: revisions of another one mean nothing
export const daemonRun = () => run;
let first = 0; // the visible window
let count = CHUNK;

export const selected = signal<ReadonlySet<number>>(new Set());
export const current = signal<number | null>(null); // under the cursor; its details show
export const detailsOpen = signal(false);

export function rowAt(index: number): Row | undefined {
    const id = order[index];
    return id === undefined ? undefined : rows.get(id);
}

export function rowOf(id: number): Row | undefined {
    return rows.get(id);
}

// Where the cursor is to be when that row is known; -1: it is where it is.
let aim = -1;
current.subscribe(() => { aim = -1; });

// A place in the list; -1: nowhere.
export function cursor(): number {
    return aim >= 0 ? aim : current.value === null ? -1 : order.indexOf(current.value);
}

export const isOnItsWay = () => aim >= 0;

export function putCursor(index: number) {
    const row = rowAt(index);
    if (row) current.value = row.id;
    aim = row ? -1 : index;
}

function arrive() {
    if (aim >= 0) putCursor(Math.min(aim, matching.value - 1));
}

export const history = { time: [] as number[], down: [] as number[], up: [] as number[] };
export const historyTick = signal(0);

function remember(down: number, up: number) {
    history.time.push(Date.now() / 1000);
    history.down.push(down);
    history.up.push(up);
    if (history.time.length > 600) {
        history.time.shift();
        history.down.shift();
        history.up.shift();
    }
    historyTick.value++;
}

function question(extra: Record<string, string | number>) {
    return query({
        filter: filter.value,
        label: label.value,
        search: search.value.trim(),
        sort: sort.value,
        order: descending.value ? "desc" : "asc",
        ...extra,
    });
}

let asked: AbortController | null = null;
let timer = 0;
let asking = false;
let stale = false; // the question changed while an answer was on its way

function span() {
    const from = Math.max(0, Math.floor((first - CHUNK / 4) / CHUNK) * CHUNK);
    const to = Math.ceil((first + count + CHUNK / 4) / CHUNK) * CHUNK;
    return { offset: from, limit: Math.max(CHUNK, to - from) };
}

function takeCommon(answer: Window) {
    revision = answer.revision;
    run = answer.run;
    matching.value = answer.matching;
    totals.value = answer.totals;
    labels.value = answer.labels;
    speed.value = { down: answer.rate_down, up: answer.rate_up };
    altEnabled.value = answer.alt_enabled;
    remember(answer.rate_down, answer.rate_up);
}

function tell(row: Row) {
    const before = rows.get(row.id);
    if (!before) return;
    if (!before.complete && row.complete) note("good", "Finished", row.name);
    if (row.trouble !== "none" && row.trouble_text && row.trouble_text !== before.trouble_text) {
        note(row.trouble === "local" ? "bad" : "warn", row.trouble_text, row.name);
    }
}

function takeRows(list: Row[]) {
    for (const row of list) {
        tell(row);
        rows.set(row.id, row);
    }
}

async function askWindow() {
    const { offset, limit } = span();
    const answer = await get<Window>("/torrents" + question({ offset, limit }), asked!.signal);
    batch(() => {
        takeCommon(answer);
        takeRows(answer.rows);
        answer.rows.forEach((row, at) => { order[offset + at] = row.id; });
        order.length = answer.matching;
        loaded.value = true;
        arrive();
        generation.value++;
    });
}

// true: the window shows rows that are not known here, so it has to be asked as a whole.
function takeDelta(answer: Delta): boolean {
    let unknown = false;
    batch(() => {
        takeCommon(answer);
        if (answer.everything) order = [];
        takeRows(answer.rows);
        order.length = answer.matching;
        answer.ids.forEach((id, at) => {
            order[answer.offset + at] = id;
            unknown ||= !rows.has(id);
        });
        if (answer.removed.length) forget(answer.removed);
        arrive();
        generation.value++;
    });
    return unknown;
}

async function askDelta() {
    const answer = await get<Delta>("/delta" + question({ revision, run, ...span() }), asked!.signal);
    if (takeDelta(answer)) await askWindow();
}

// While the daemon tells by itself nothing is polled.
let stream: AbortController | null = null;
let streamed = ""; // the question that it answers

async function follow() {
    const { offset, limit } = span();
    const asks = question({ offset, limit });
    if (document.hidden || (stream && streamed === asks)) return;
    stream?.abort();
    const mine = stream = new AbortController();
    streamed = asks;
    try {
        await listen("/events" + question({ revision, run, offset, limit }), (data) => {
            if (mine !== stream) return;
            clearTimeout(timer);
            if (takeDelta(data as Delta)) void turn(true);
        }, mine.signal);
    } catch { /* then it is polled, which tells what is wrong */ }
    if (mine !== stream) return;
    stream = null;
    schedule();
}

function forget(ids: number[]) {
    const gone = new Set(ids);
    for (const id of ids) rows.delete(id);
    if (current.value !== null && gone.has(current.value)) {
        current.value = null;
        detailsOpen.value = false;
    }
    if ([...selected.value].some((id) => gone.has(id))) {
        selected.value = new Set([...selected.value].filter((id) => !gone.has(id)));
    }
}

function failed(error: unknown) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
        login.value = "needed";
        return;
    }
    if (!offline.value) note("bad", error instanceof Refused ? error.message : "The daemon does not answer");
    offline.value = true;
}

function schedule() {
    clearTimeout(timer);
    if (login.value !== "needed" && !stream) {
        timer = window.setTimeout(() => void turn(false), document.hidden ? POLL_HIDDEN_MS : POLL_MS);
    }
}

async function turn(whole: boolean) {
    if (asking) {
        stale ||= whole;
        return;
    }
    asking = true;
    clearTimeout(timer);
    const mine = asked = new AbortController();
    const giveUp = setTimeout(() => mine.abort(), 20000);
    try {
        if (whole || !loaded.value) await askWindow();
        else await askDelta();
        offline.value = false;
        login.value = "in";
        if (!stale) void follow();
    } catch (error) {
        failed(error);
    }
    clearTimeout(giveUp);
    asking = false;
    if (stale) {
        stale = false;
        void turn(true);
    } else {
        schedule();
    }
}

// Asks again now: after a change that was made here, or a token.
export function refresh(whole = false) {
    void turn(whole);
}

// The list tells what of it can be seen.
let scrolled = 0;
export function show(from: number, rowsVisible: number) {
    first = from;
    count = rowsVisible;
    const { offset, limit } = span();
    let known = true;
    for (let index = offset; index < Math.min(offset + limit, matching.value) && known; index++) {
        known = rowAt(index) !== undefined;
    }
    if (known && (!stream || streamed === question({ offset, limit }))) return;
    clearTimeout(scrolled);
    scrolled = window.setTimeout(() => void turn(!known), known ? 250 : 60);
}

let begun = false;
export function begin() {
    if (begun) return;
    begun = true;
    let typing = 0;
    let before = "";
    effect(() => {
        // Another question: what is where in the list is unknown, rows stay known.
        const now = question({});
        if (now === before) return;
        const isFirst = before === "";
        before = now;
        aim = -1;
        clearTimeout(typing);
        if (isFirst) void turn(true);
        else typing = window.setTimeout(() => {
            order = [];
            stream?.abort();
            stream = null;
            asked?.abort();
            void turn(true);
        }, 120);
    });
    document.addEventListener("visibilitychange", () => {
        if (document.hidden) {
            stream?.abort();
            stream = null;
            schedule();
        } else {
            refresh();
        }
    });
}

export const targets = computed<number[]>(() =>
    selected.value.size > 0 ? [...selected.value] : current.value !== null ? [current.value] : []);

export async function act(what: string, body: Record<string, unknown> = {}, ids = targets.value) {
    if (ids.length === 0) return false;
    return attempt(() => post(`/torrents/${what}`, { ids, ...body }));
}

// Runs a wish; what goes wrong is shown, and the list looks again either way.
export async function attempt(wish: () => Promise<unknown>) {
    try {
        await wish();
        refresh();
        return true;
    } catch (error) {
        if (error instanceof Refused && error.status === 401) login.value = "needed";
        note("bad", error instanceof Error ? error.message : String(error), "", true);
        return false;
    }
}

async function idsOf(offset: number, limit: number) {
    return (await get<{ ids: number[] }>("/torrents" + question({ fields: "id", offset, limit }))).ids;
}

export async function selectAll() {
    try {
        selected.value = new Set(await idsOf(0, 100000));
    } catch (error) {
        failed(error);
    }
}

export function toggle(id: number) {
    const next = new Set(selected.value);
    if (!next.delete(id)) next.add(id);
    selected.value = next;
}

// Of what is outside the window the daemon knows the order, not the page.
export async function selectRange(from: number, to: number) {
    const begin = Math.min(from, to), end = Math.max(from, to) + 1;
    const { offset, limit } = span();
    let ids = order.slice(begin, end);
    if (begin < offset || end > offset + limit || Object.keys(ids).length < end - begin) {
        const asks = question({});
        try {
            ids = await idsOf(begin, end - begin);
        } catch (error) {
            failed(error);
            return;
        }
        if (asks !== question({})) return; // another list meanwhile
    }
    selected.value = new Set([...selected.value, ...ids]);
}
