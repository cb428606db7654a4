// SPDX-License-Identifier: MIT
// The piece map: what is here, what is asked of whom, what peers have and how rare it is, what nobody
// has.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, type Fetch, type FetchPeer, type Pieces } from "./api";
import { percent, plural, size } from "./format";
import { TorrentStages } from "./pipeline";
import { colour, isDark } from "./theme";
import { usePolling, useSize } from "./ui";

function bytes(text: string | null) {
    if (!text) return new Uint8Array();
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

interface Cell { have: number; of: number; rare: number }

// Pieces from first to last as one cell: share that is here, and how many peers have the rarest other.
function cellOf(have: Uint8Array, availability: Uint8Array, first: number, last: number): Cell {
    let here = 0;
    let rare = Infinity;
    for (let piece = first; piece < last; piece++) {
        if ((have[piece >> 3] ?? 0) >> (7 - (piece & 7)) & 1) here++;
        else rare = Math.min(rare, availability[piece] ?? 0);
    }
    return { have: here, of: last - first, rare };
}

const ROWS = 40; // of the list of pieces on their way

const nameOf = (peer: FetchPeer) => peer.address === null ? "a web server"
    : peer.client ? `${peer.client} at ${peer.address}` : peer.address;

function sayPeer(peer: FetchPeer) {
    const did = [];
    if (peer.asked) did.push(`${peer.asked} asked`);
    if (peer.received) did.push(`${peer.received} came`);
    return `${nameOf(peer)} (${did.join(", ")})`;
}

function sayFetch(fetch: Fetch) {
    return fetch.received === fetch.blocks ? `all ${plural(fetch.blocks, "block")} came, being checked and written`
        : `${fetch.received} of ${plural(fetch.blocks, "block")} came, ${fetch.asked} asked`;
}

function OnItsWay({ fetching }: { fetching: Fetch[] }) {
    if (fetching.length === 0) return null;
    const sorted = [...fetching].sort((a, b) => a.piece - b.piece).slice(0, ROWS);
    return (
        <table class="on-its-way" aria-label="Pieces on their way">
            <thead><tr><th class="n">Piece</th><th>On its way</th><th>From</th></tr></thead>
            <tbody>
                {sorted.map((fetch) => (
                    <tr key={fetch.piece}>
                        <td class="n">{fetch.piece}</td>
                        <td>{sayFetch(fetch)}</td>
                        <td>{fetch.peers.map((peer, at) => <span key={peer.address ?? at}>{at > 0 && ", "}<bdi>{sayPeer(peer)}</bdi></span>)}</td>
                    </tr>
                ))}
            </tbody>
            {fetching.length > ROWS && <tfoot><tr><td colSpan={3}>and {fetching.length - ROWS} more</td></tr></tfoot>}
        </table>
    );
}

export function PieceMap({ id, live }: { id: number; live: boolean }) {
    const [pieces, setPieces] = useState<Pieces | null>(null);
    const [width, setWidth] = useState(0);
    const [hint, setHint] = useState("");
    const box = useSize<HTMLDivElement>((now) => setWidth(now));
    const canvas = useRef<HTMLCanvasElement>(null);
    const fresh = useRef(new Map<number, number>()); // pieces that came while we looked: shown bright
    const before = useRef<Uint8Array | null>(null);
    const dark = isDark.value;
    usePolling(async () => {
        const next = await get<Pieces>(`/torrents/${id}/pieces`);
        const now = bytes(next.have);
        const old = before.current;
        if (old && old.length === now.length) {
            for (let at = 0; at < now.length; at++) {
                const came = now[at]! & ~old[at]!;
                for (let bit = 0; came && bit < 8; bit++) if (came >> (7 - bit) & 1) fresh.current.set(at * 8 + bit, Date.now());
            }
        }
        before.current = now;
        setPieces(next);
    }, live ? 1500 : 15000, [id, live]);

    const count = pieces?.count ?? 0;
    const gap = 2;
    const cell = count <= 400 ? 18 : count <= 2000 ? 12 : 9;
    const across = Math.max(1, Math.floor((width - 24 + gap) / (cell + gap)));
    const rowsMax = 60;
    const cells = Math.min(count, across * rowsMax);
    const down = Math.ceil(cells / across);
    const span = (at: number): [number, number] => [Math.floor(at * count / cells), Math.floor((at + 1) * count / cells)];

    useEffect(() => {
        const element = canvas.current;
        if (!element || !pieces || cells === 0) return;
        const scale = devicePixelRatio || 1;
        const w = across * (cell + gap) - gap, h = down * (cell + gap) - gap;
        element.width = w * scale;
        element.height = h * scale;
        element.style.width = w + "px";
        element.style.height = h + "px";
        const paint = element.getContext("2d")!;
        paint.scale(scale, scale);
        const have = bytes(pieces.have), availability = bytes(pieces.availability);
        const colours = {
            here: colour("--piece-have"), fresh: colour("--piece-fresh"), none: colour("--piece-none"),
            fetch: colour("--piece-fetch"), rare: colour("--piece-rare"), some: colour("--piece-some"), many: colour("--piece-many"),
        };
        const now = Date.now();
        for (const [piece, time] of fresh.current) if (now - time > 6000) fresh.current.delete(piece);
        const newest = new Set(fresh.current.keys());
        const asked = new Map<number, number>(); // cells with pieces on their way: the share of one that came
        for (const fetch of pieces.fetching) {
            const at = Math.min(cells - 1, Math.ceil((fetch.piece + 1) * cells / count) - 1);
            asked.set(at, cells === count ? fetch.received / fetch.blocks : 0);
        }
        for (let at = 0; at < cells; at++) {
            const [first, last] = span(at);
            const { have: here, of, rare } = cellOf(have, availability, first, last);
            const x = at % across * (cell + gap), y = Math.floor(at / across) * (cell + gap);
            const absent = !live || rare === 0 ? colours.none : rare === 1 ? colours.rare : rare < 4 ? colours.some : colours.many;
            let isFresh = false;
            for (let piece = first; newest.size && piece < last; piece++) isFresh ||= newest.has(piece);
            paint.fillStyle = here === of ? (isFresh ? colours.fresh : colours.here) : absent;
            paint.beginPath();
            paint.roundRect(x, y, cell, cell, cell > 10 ? 3 : 2);
            paint.fill();
            if (here > 0 && here < of) {
                paint.fillStyle = isFresh ? colours.fresh : colours.here;
                paint.fillRect(x, y + cell * (1 - here / of), cell, cell * here / of);
            }
            const came = asked.get(at);
            if (came !== undefined && here < of) {
                paint.fillStyle = paint.strokeStyle = colours.fetch;
                paint.fillRect(x, y + cell * (1 - came), cell, cell * came);
                paint.lineWidth = 2;
                paint.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
            }
        }
    }, [pieces, width, dark]);

    if (pieces && count === 0) return <p class="empty">Pieces are known when the metadata are there.</p>;
    const have = pieces ? bytes(pieces.have) : new Uint8Array();
    let here = 0;
    for (const byte of have) for (let bit = byte; bit; bit &= bit - 1) here++;
    const moved = (event: MouseEvent) => {
        const column = Math.floor(event.offsetX / (cell + gap)), line = Math.floor(event.offsetY / (cell + gap));
        const at = line * across + column;
        if (at < 0 || at >= cells || column >= across) { setHint(""); return; }
        const [first, last] = span(at);
        const found = cellOf(have, bytes(pieces!.availability), first, last);
        const name = last - first > 1 ? `Pieces ${first} to ${last - 1}` : `Piece ${first}`;
        setHint(`${name}: ${found.have === found.of ? "here" : found.have ? `${found.have} of ${found.of} here` : "not here"}` +
            (found.have < found.of && live ? `, ${found.rare === 0 ? "no connected peer has it" : plural(found.rare, "connected peer has it", "connected peers have it")}` : "") +
            pieces!.fetching.filter((fetch) => fetch.piece >= first && fetch.piece < last).slice(0, 3)
                .map((fetch) => `; ${last - first > 1 ? fetch.piece + ": " : ""}${sayFetch(fetch)}, ${fetch.peers.map(sayPeer).join(", ")}`).join(""));
    };
    return (
        <div ref={box} class="pieces" tabIndex={0} role="region" aria-label="Piece map">
            {live && <TorrentStages id={id} />}
            {pieces && <>
                <p class="legend">
                    <b>{here.toLocaleString("en")} of {plural(count, "piece")}</b> of {size(pieces.length)} ({percent(here / count)})
                    <span class="key have">here</span><span class="key fresh">just came</span>
                    {live && <><span class="key fetch">on its way</span><span class="key many">several peers</span><span class="key some">two or three</span><span class="key rare">one peer</span></>}
                    <span class="key none">nobody connected</span>
                </p>
                <canvas ref={canvas} role="img" aria-label={`${here} of ${count} pieces are here${pieces.fetching.length ? `, ${pieces.fetching.length} on their way` : ""}`} onMouseMove={moved} onMouseLeave={() => setHint("")} />
                <p class="hint" aria-hidden="true">{hint || "\u00a0"}</p>
                <OnItsWay fetching={pieces.fetching} />
            </>}
        </div>
    );
}
