// SPDX-License-Identifier: MIT
// The list of torrents: only the rows that can be seen exist, so ten thousand cost what forty do.
import { signal } from "@preact/signals";
import { Component } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { editLabels, editLimits, menuItems, removeAsked, start, stop } from "./actions";
import { openAdd } from "./add";
import type { Row } from "./api";
import { day, percent, rate, ratio, size } from "./format";
import { Icon } from "./icons";
import {
    current, cursor, descending, detailsOpen, filter, generation, label, loaded, matching, putCursor, rowAt, search,
    selectAll, selected, selectRange, show, sort, Sort, toggle, totals,
} from "./state";
import { Bar, IconButton, openMenu, useSize } from "./ui";
import { etaOf, kindOf, ratesOf, statusOf } from "./words";

const ROW = 38;
const ROW_PHONE = 76;
const HEADER = 34;
const RIGHT_BUTTON = 2;
const OVERSCAN = 6;
const FILLED = 8; // lines that get their cells in one frame: all at once they would hold it up

const phoneQuery = matchMedia("(max-width: 760px)");
export const isPhone = signal(phoneQuery.matches);
phoneQuery.addEventListener("change", () => { isPhone.value = phoneQuery.matches; });

const COLUMNS: { key: Sort; label: string; class: string; more?: string }[] = [
    { key: "queue", label: "#", class: "c-queue", more: " in the queue" },
    { key: "name", label: "Name", class: "c-name" },
    { key: "total", label: "Size", class: "c-size" },
    { key: "progress", label: "Progress", class: "c-progress" },
    { key: "phase", label: "Status", class: "c-status" },
    { key: "rate_down", label: "Down", class: "c-down" },
    { key: "rate_up", label: "Up", class: "c-up" },
    { key: "eta", label: "Left", class: "c-eta" },
    { key: "ratio", label: "Ratio", class: "c-ratio" },
    { key: "peers", label: "Peers", class: "c-peers" },
    { key: "added", label: "Added", class: "c-added" },
];

export const SORTS: [Sort, string][] = [
    ["added", "Added"], ["name", "Name"], ["total", "Size"], ["progress", "Progress"], ["phase", "Status"],
    ["rate_down", "Download speed"], ["rate_up", "Upload speed"], ["eta", "Time left"], ["ratio", "Ratio"],
    ["peers", "Peers"], ["queue", "Queue"],
];

export function sortBy(key: Sort) {
    if (sort.value === key) {
        descending.value = !descending.value;
    } else {
        sort.value = key;
        descending.value = key !== "name" && key !== "eta" && key !== "queue";
    }
}

interface LineProps { index: number; row: Row | undefined; selected: boolean; current: boolean; phone: boolean }

// A line is drawn again only when something of it changed. Its elements serve other torrents when it
// leaves the window; the bar does not, since it would run to its new share.
class Line extends Component<LineProps> {
    override shouldComponentUpdate(next: LineProps) {
        const now = this.props;
        return now.row !== next.row || now.selected !== next.selected || now.current !== next.current ||
            now.index !== next.index || now.phone !== next.phone;
    }

    override render({ index, row, selected: on, current: here, phone }: LineProps) {
        const top = { transform: `translateY(${index * (phone ? ROW_PHONE : ROW)}px)` };
        if (!row) {
            return <div class="row empty-row" role="row" aria-rowindex={index + 2} style={top}>
                <div class="c-name" role="gridcell"><span class="ghost" aria-label="loading" role="img" /></div></div>;
        }
        const kind = kindOf(row);
        const share = row.progress;
        return (
            <div class={`row ${kind}${on ? " selected" : ""}${here ? " here" : ""}`} role="row" id={"row-" + row.id}
                aria-rowindex={index + 2} aria-selected={on} style={top} data-id={row.id} data-index={index}>
                <div class="c-check" role="gridcell">
                    <input type="checkbox" tabIndex={-1} checked={on} aria-label={"Select " + row.name} />
                </div>
                <div class="c-queue" role="gridcell">{row.queue + 1}</div>
                <div class="c-name" role="gridcell">
                    <span class={"dot " + kind} aria-hidden="true" />
                    <bdi class="name" title={row.name}>{row.name}</bdi>
                    {row.labels.slice(0, 3).map((name) => <bdi class="tag" key={name}>{name}</bdi>)}
                </div>
                <div class="c-size" role="gridcell">{row.total ? size(row.total) : "–"}</div>
                <div class="c-progress" role="gridcell">
                    <Bar key={row.id} share={share} kind={kind} />
                    <span>{percent(share)}</span>
                </div>
                <div class="c-status" role="gridcell" title={row.trouble_text ?? ""}>
                    {row.trouble !== "none" && <Icon name="warn" size={14} />}
                    <span>{statusOf(row)}</span>
                </div>
                <div class="c-down" role="gridcell">{row.rate_down > 0 ? rate(row.rate_down) : ""}</div>
                <div class="c-up" role="gridcell">{row.rate_up > 0 ? rate(row.rate_up) : ""}</div>
                <div class="c-eta" role="gridcell">{etaOf(row)}</div>
                <div class="c-ratio" role="gridcell">{row.uploaded > 0 ? ratio(row.ratio) : ""}</div>
                <div class="c-peers" role="gridcell">{row.peers > 0 ? row.peers : ""}</div>
                <div class="c-added" role="gridcell">{day(row.added)}</div>
                {phone && (
                    <div class="c-facts" role="gridcell">
                        <span>{statusOf(row)}</span>
                        <span>{ratesOf(row)}</span>
                        <span>{etaOf(row)}</span>
                        <span>{size(row.total)}</span>
                    </div>
                )}
            </div>
        );
    }
}

// The heads are one stop of the Tab key, and arrows go on from there: the one that has the focus, else
// the name, which has a column at every width.
const tabStop = signal("name");

function headKeys(event: KeyboardEvent) {
    const heads = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("button, input")].filter((one) => one.offsetParent);
    const at = heads.indexOf(event.target as HTMLElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: heads.length - 1 }[event.key];
    if (to === undefined) return;
    heads[Math.max(0, Math.min(heads.length - 1, to))]!.focus();
    event.preventDefault();
    event.stopPropagation();
}

function Header() {
    const tabbed = (key: string) => ({ tabIndex: tabStop.value === key ? 0 : -1, onFocus: () => { tabStop.value = key; } });
    return (
        <div class="header row" role="row" aria-rowindex={1} onKeyDown={headKeys} onFocusOut={() => { tabStop.value = "name"; }}>
            <div class="c-check" role="columnheader">
                <input type="checkbox" {...tabbed("check")} aria-label="Select all" checked={matching.value > 0 && selected.value.size >= matching.value}
                    onChange={(event) => {
                        if (event.currentTarget.checked) void selectAll();
                        else selected.value = new Set();
                    }} />
            </div>
            {COLUMNS.map((column) => (
                <div key={column.key} class={column.class} role="columnheader"
                    aria-sort={sort.value === column.key ? (descending.value ? "descending" : "ascending") : "none"}>
                    <button type="button" {...tabbed(column.key)} onClick={() => sortBy(column.key)}>
                        {column.label}{column.more && <span class="sr">{column.more}</span>}
                        {sort.value === column.key && <span aria-hidden="true">{descending.value ? " ↓" : " ↑"}</span>}
                    </button>
                </div>
            ))}
        </div>
    );
}

const view = signal({ first: 0, count: 30 });
let element: HTMLDivElement | null = null;

function rowHeight() {
    return isPhone.value ? ROW_PHONE : ROW;
}

function look() {
    if (!element) return;
    const header = isPhone.value ? 0 : HEADER;
    const height = rowHeight();
    const first = Math.max(0, Math.floor(element.scrollTop / height));
    const count = Math.ceil((element.clientHeight - header) / height) + 1;
    if (view.value.first !== first || view.value.count !== count) view.value = { first, count };
    show(first, count);
}

function reveal(index: number) {
    if (!element) return;
    const height = rowHeight();
    const header = isPhone.value ? 0 : HEADER;
    const room = element.clientHeight - header;
    if (index * height < element.scrollTop) element.scrollTop = index * height;
    else if ((index + 1) * height > element.scrollTop + room) element.scrollTop = (index + 1) * height - room;
}

// Puts the cursor on a row; with `extend` what lies between is selected as well.
export function go(to: number, extend = false) {
    if (matching.value === 0) return;
    const index = Math.max(0, Math.min(matching.value - 1, to));
    const from = cursor();
    reveal(index);
    look();
    if (extend) void selectRange(from < 0 ? index : from, index);
    putCursor(index);
    element?.focus({ preventScroll: true });
}

export function page() {
    return Math.max(1, view.value.count - 2);
}

let anchor = 0; // of a shift-click

function clicked(event: MouseEvent) {
    const target = event.target as HTMLElement;
    const line = target.closest<HTMLElement>("[data-id]");
    if (!line) return;
    const id = Number(line.dataset["id"]);
    const index = Number(line.dataset["index"]);
    if (target instanceof HTMLInputElement || event.ctrlKey || event.metaKey) {
        toggle(id);
        anchor = index;
        if (!isPhone.value) current.value = id;
        return;
    }
    if (event.shiftKey) {
        void selectRange(anchor, index);
        current.value = id;
        return;
    }
    anchor = index;
    if (selected.value.size > 0) selected.value = new Set();
    if (current.value === id && detailsOpen.value && !isPhone.value) return;
    current.value = id;
    if (isPhone.value) detailsOpen.value = true;
}

function opened(event: MouseEvent) {
    const line = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
    if (!line || event.target instanceof HTMLInputElement) return;
    current.value = Number(line.dataset["id"]);
    detailsOpen.value = true;
}

function context(event: MouseEvent) {
    // The Menu key is the list's, which has the keyboard, and means the torrent that stands out.
    const under = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
    const line = under ?? (event.button === RIGHT_BUTTON ? null : document.getElementById("row-" + current.value));
    if (!line) return;
    event.preventDefault();
    const id = Number(line.dataset["id"]);
    if (!selected.value.has(id)) {
        selected.value = new Set();
        current.value = id;
    }
    const place = line.getBoundingClientRect();
    openMenu(under ? event : { x: place.left, y: place.bottom }, menuItems());
}

function Nothing() {
    const searching = search.value.trim() !== "" || filter.value !== "all" || label.value !== "";
    return (
        <div class="nothing">
            <Icon name={searching ? "search" : "down"} size={44} />
            <p>{searching ? "Nothing matches." : "No torrents yet."}</p>
            {searching
                ? <button type="button" onClick={() => { search.value = ""; filter.value = "all"; label.value = ""; }}>Show all {totals.value.all}</button>
                : <><small>Drop a .torrent file here, or paste a magnet link anywhere.</small>
                    <button type="button" class="primary" onClick={() => openAdd()}>Add a torrent</button></>}
        </div>
    );
}

// Lines are kept as a ring of keys: one that leaves at the top comes in at the bottom. After a jump
// the first line keeps its key, so that none has to move.
const ring = { size: 0, from: 0, base: 0, filled: new Set<number>() };
let left = 0; // that may be filled in this frame
let asked = false;
const unfilled = signal(0); // grows while lines wait for their cells

function fill() {
    asked = false;
    left = FILLED;
    unfilled.value++;
}

interface Place { key: number; index: number; row: Row | undefined }

function windowOf(total: number, { first, count }: { first: number; count: number }) {
    const from = Math.max(0, first - OVERSCAN);
    const to = Math.min(total, first + count + OVERSCAN);
    const size = count + 2 * OVERSCAN;
    if (size !== ring.size) Object.assign(ring, { size, from, base: from, filled: new Set() });
    if (Math.abs(from - ring.from) >= size) ring.base += from - ring.from;
    ring.from = from;
    const places: Place[] = [];
    for (let index = from; index < to; index++) {
        places.push({ key: (((index - ring.base) % size) + size) % size, index, row: rowAt(index) });
    }
    // Those in sight come first.
    const above = Math.min(first - from, places.length);
    const filled = new Set<number>();
    for (const place of [...places.slice(above), ...places.slice(0, above)]) {
        if (place.row && !ring.filled.has(place.key) && left-- <= 0) {
            place.row = undefined;
            if (!asked) requestAnimationFrame(fill);
            asked = true;
        }
        if (place.row) filled.add(place.key);
    }
    ring.filled = filled;
    left = 0;
    return places;
}

export function List() {
    generation.value;
    unfilled.value;
    const phone = isPhone.value;
    const box = useSize<HTMLDivElement>(look);
    useLayoutEffect(() => {
        element = box.current;
        look();
    }, [phone, matching.value]);
    const total = matching.value;
    const lines = windowOf(total, view.value).map(({ key, index, row }) => (
        <Line key={key} index={index} row={row} selected={row !== undefined && selected.value.has(row.id)}
            current={row !== undefined && row.id === current.value} phone={phone} />
    ));
    const here = current.value !== null && lines.some((line) => line.props.row?.id === current.value);
    return (
        <div class="list-frame">
            <div ref={box} class="list" role="grid" aria-label="Torrents" aria-rowcount={total + 1} aria-multiselectable="true"
                tabIndex={0} {...(here ? { "aria-activedescendant": "row-" + current.value } : {})}
                onScroll={look} onClick={clicked} onDblClick={opened} onContextMenu={context}>
                <div role="rowgroup" class="head"><Header /></div>
                <div role="rowgroup" class="rows" {...(total > 0 ? { style: { height: total * rowHeight() + "px" } } : {})}>
                    {lines}
                    {total === 0 && <div role="row" class="sr"><div role="gridcell">{loaded.value ? "No torrents" : "Loading"}</div></div>}
                </div>
            </div>
            {loaded.value && total === 0 && <Nothing />}
        </div>
    );
}

export function SelectionBar() {
    const count = selected.value.size;
    if (count === 0) return null;
    return (
        <div class="selection" role="toolbar" aria-label="Selected torrents">
            <IconButton icon="close" label="Select nothing" onClick={() => { selected.value = new Set(); }} />
            <span aria-live="polite">{count} selected</span>
            <BulkButtons />
        </div>
    );
}

function BulkButtons() {
    return (
        <span class="bulk">
            <IconButton icon="play" label="Start" onClick={() => start()} />
            <IconButton icon="pause" label="Stop" onClick={stop} />
            <IconButton icon="tag" label="Labels" onClick={editLabels} />
            <IconButton icon="gauge" label="Limits" onClick={editLimits} />
            <IconButton icon="bin" label="Remove" class="danger" onClick={() => removeAsked()} />
            <IconButton icon="more" label="More" expanded={false} onClick={(event) => openMenu(event, menuItems())} />
        </span>
    );
}
