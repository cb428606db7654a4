// SPDX-License-Identifier: MIT
// The pane of one torrent, with its tabs.
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { copyMagnet, editLimits, menuItems, removeAsked, share, start, stop } from "./actions";
import { get, patch, type Detail, type FileEntry, type Peer, type Tracker } from "./api";
import { date, duration, percent, plural, rate, ratio, size } from "./format";
import { isPhone } from "./list";
import { PieceMap } from "./pieces";
import { PlayDialog } from "./play";
import { type Samples, SpeedPlot } from "./plot";
import { attempt, current, detailsOpen, generation, refresh, rowOf, totals } from "./state";
import { SwarmView } from "./swarm";
import { FileTree } from "./tree";
import { Bar, IconButton, openDialog, openMenu, usePolling } from "./ui";
import { kindOf, SOURCES, statusOf } from "./words";

const TABS = [["overview", "Overview"], ["files", "Files"], ["peers", "Peers"], ["trackers", "Trackers"], ["pieces", "Pieces"], ["swarm", "Swarm"]] as const;
type Tab = typeof TABS[number][0];
const tab = signal<Tab>("overview");
const height = signal(340);

// Speeds of each torrent that was looked at, for its plot.
const seen = new Map<number, Samples>();
function samplesOf(id: number) {
    let samples = seen.get(id);
    if (!samples) {
        samples = { time: [], down: [], up: [] };
        seen.set(id, samples);
        if (seen.size > 50) seen.delete(seen.keys().next().value!);
    }
    return samples;
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
    return <div class="fact"><dt>{name}</dt><dd>{children}</dd></div>;
}

function Overview({ detail }: { detail: Detail }) {
    const samples = useMemo(() => samplesOf(detail.id), [detail.id]);
    const last = samples.time.at(-1) ?? 0;
    const now = Date.now() / 1000;
    if (now - last > 0.9) {
        samples.time.push(now);
        samples.down.push(detail.rate_down);
        samples.up.push(detail.rate_up);
        if (samples.time.length > 600) for (const list of [samples.time, samples.down, samples.up]) list.shift();
    }
    const sources = Object.entries(detail.peers_by_source).filter(([, count]) => count > 0);
    return (
        <div class="overview" tabIndex={0} role="region" aria-label="Overview">
            <section class="why">
                {detail.choose_files && !detail.metadata_missing && detail.phase === "stopped" && (
                    <p class="call">Its files are known now. <button type="button" class="primary" onClick={() => { tab.value = "files"; }}>Choose files</button></p>
                )}
                <h3>{detail.phase === "downloading" ? "Why is it not faster?" : "What is it doing?"}</h3>
                <p class={detail.trouble === "local" ? "error" : ""}>{detail.why || statusOf(detail) + "."}</p>
                <SpeedPlot samples={samples} tick={samples.time.length + last} height={150} />
            </section>
            <dl class="facts">
                <Fact name="Done">{size(detail.verified)} of {size(detail.wanted)}{detail.wanted !== detail.total && <> ({size(detail.total)} in all)</>}</Fact>
                <Fact name="Time left">{detail.eta === null ? "–" : duration(detail.eta)}</Fact>
                <Fact name="Downloaded">{size(detail.downloaded)}{detail.wasted > 0 && <>, {size(detail.wasted)} in vain</>}</Fact>
                <Fact name="Uploaded">{size(detail.uploaded)}, ratio {ratio(detail.ratio)}</Fact>
                <Fact name="Peers">{plural(detail.peers, "connected", "connected")}{sources.length > 0 && <> ({sources.map(([name, count]) => `${count} ${SOURCES[name] ?? name}`).join(", ")})</>}</Fact>
                <Fact name="Limits">
                    {detail.download_limited ? "↓ " + rate(detail.download_limit) : "↓ none"}, {detail.upload_limited ? "↑ " + rate(detail.upload_limit) : "↑ none"}
                    <button type="button" class="link" onClick={editLimits}>change</button>
                </Fact>
                <Fact name="In the queue">{(detail.queue + 1).toLocaleString("en")} of {totals.value.all.toLocaleString("en")}</Fact>
                <Fact name="Folder"><bdi class="path">{detail.folder}</bdi></Fact>
                <Fact name="Labels">{detail.labels.length ? detail.labels.map((name) => <bdi class="tag" key={name}>{name}</bdi>) : "–"}</Fact>
                <Fact name="Added">{date(detail.added)}</Fact>
                <Fact name="Finished">{date(detail.finished)}</Fact>
                <Fact name="Active">{duration(detail.seconds_downloading)} down, {duration(detail.seconds_seeding)} up</Fact>
                <Fact name="Pieces">{detail.pieces ? <>{detail.pieces.toLocaleString("en")} of {size(detail.piece_length)}</> : "–"}{detail.private && ", private"}</Fact>
                {detail.comment && <Fact name="Comment"><bdi>{detail.comment}</bdi></Fact>}
                {detail.creator && <Fact name="Made by"><bdi>{detail.creator}</bdi>{detail.created > 0 && <>, {date(detail.created)}</>}</Fact>}
                <Fact name="Info-hash"><code>{detail.hash}</code> <button type="button" class="link" onClick={() => void copyMagnet()}>copy link</button></Fact>
            </dl>
        </div>
    );
}

function Files({ detail }: { detail: Detail }) {
    const [answer, setAnswer] = useState<{ total: number; stream_key: string | null; files: FileEntry[] } | null>(null);
    // Of priorities: how many there have been, how many are on their way, and the end of these.
    const changes = useRef({ made: 0, waiting: 0, last: Promise.resolve() as Promise<unknown> }).current;
    const load = async () => {
        const made = changes.made;
        if (changes.waiting > 0) return;
        const next = await get<NonNullable<typeof answer>>(`/torrents/${detail.id}/files?limit=20000`);
        if (made === changes.made) setAnswer(next); // else it is from before the change
    };
    usePolling(load, detail.running && !detail.complete ? 2000 : 10000, [detail.id, detail.running, detail.files]);
    if (detail.metadata_missing) return <p class="empty">Files are known when a peer has told the metadata.</p>;
    if (!answer) return <p class="empty">Loading…</p>;
    const set = async (indices: number[], priority: number) => {
        const chosen = new Set(indices);
        setAnswer((now) => now && { ...now, files: now.files.map((file) => chosen.has(file.index) ? { ...file, priority } : file) });
        changes.made++;
        changes.waiting++;
        const { id } = detail;
        // One after the other: the last that a person said is the one that holds.
        await (changes.last = changes.last.then(() => attempt(() => patch(`/torrents/${id}`, { priorities: [{ files: indices, priority }] }))));
        if (--changes.waiting === 0) await load();
    };
    const real = answer.files.filter((file) => !file.padding);
    const skipped = real.filter((file) => file.priority === 0);
    return (
        <div class="files">
            <div class="files-bar">
                <span>{plural(real.length - skipped.length, "file")} wanted{skipped.length > 0 && <>, {skipped.length} skipped</>}</span>
                <span class="grow" />
                <button type="button" onClick={() => void set(answer.files.map((file) => file.index), 4)}>All</button>
                <button type="button" onClick={() => void set(answer.files.map((file) => file.index), 0)}>None</button>
                {!detail.running && <button type="button" class="primary" onClick={() => start()}>Start</button>}
            </div>
            <FileTree files={answer.files} withDone onPriority={(indices, priority) => void set(indices, priority)}
                {...(answer.stream_key && detail.running
                    ? { onPlay: (file) => openDialog(<PlayDialog id={detail.id} file={file} streamKey={answer.stream_key!} />) } : {})} />
            {answer.total > answer.files.length && <p class="hint">The first {answer.files.length.toLocaleString("en")} of {answer.total.toLocaleString("en")} files.</p>}
        </div>
    );
}

const FLAGS: [keyof Peer, string, string][] = [
    ["optimistic", "O", "optimistic unchoke"], ["snubbed", "S", "promised and sent nothing for a minute"], ["inbound", "I", "came to us"],
    ["encrypted", "E", "encrypted"], ["utp", "uTP", "over uTP, which yields to other traffic"],
];

function choke(mine: boolean, theirs: boolean, both: [string, string, string]) {
    return theirs ? (mine ? both[1] : both[0]) : both[2];
}

function Peers({ peers }: { peers: Peer[] | null }) {
    if (!peers) return <p class="empty">Loading…</p>;
    if (peers.length === 0) return <p class="empty">Nobody is connected.</p>;
    const sorted = [...peers].sort((a, b) => b.rate_down + b.rate_up - a.rate_down - a.rate_up || (a.address < b.address ? -1 : 1));
    return (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Peers">
            <table>
                <thead><tr><th>Client</th><th>Address</th><th>Has</th><th class="n">Down</th><th class="n">Up</th><th>It to us</th><th>We to it</th><th>Found by</th><th>Flags</th></tr></thead>
                <tbody>
                    {sorted.map((peer) => (
                        <tr key={peer.address}>
                            <td><bdi>{peer.client || "–"}</bdi></td>
                            <td><code>{peer.address}</code></td>
                            <td class="has"><div><Bar share={peer.progress} kind={peer.seed ? "seed" : "down"} /><span>{percent(peer.seed ? 1 : peer.progress)}</span></div></td>
                            <td class="n">{peer.rate_down > 0 ? rate(peer.rate_down) : ""}</td>
                            <td class="n">{peer.rate_up > 0 ? rate(peer.rate_up) : ""}</td>
                            <td>{choke(peer.peer_choking, peer.am_interested, ["gives", "chokes us", "nothing wanted"])}</td>
                            <td>{choke(peer.am_choking, peer.peer_interested, ["may ask", "is choked", "nothing wanted"])}</td>
                            <td>{SOURCES[peer.source] ?? peer.source}</td>
                            <td>{FLAGS.filter(([key]) => peer[key]).map(([key, letter, title]) => <abbr key={key} title={title}>{letter}</abbr>)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

function Trackers({ id }: { id: number }) {
    const [trackers, setTrackers] = useState<Tracker[] | null>(null);
    const [editing, setEditing] = useState<string | null>(null);
    const load = async () => setTrackers((await get<{ trackers: Tracker[] }>(`/torrents/${id}/trackers`)).trackers);
    usePolling(load, 3000, [id]);
    if (!trackers) return <p class="empty">Loading…</p>;
    const text = () => {
        const tiers: string[][] = [];
        for (const tracker of trackers) (tiers[tracker.tier] ??= []).push(tracker.url);
        return tiers.filter(Boolean).map((tier) => tier.join("\n")).join("\n\n");
    };
    const save = async () => {
        const tiers = (editing ?? "").split(/\n\s*\n/).map((tier) => tier.split("\n").map((line) => line.trim()).filter(Boolean)).filter((tier) => tier.length);
        if (await attempt(() => patch(`/torrents/${id}`, { trackers: tiers }))) {
            setEditing(null);
            await load();
        }
    };
    if (editing !== null) {
        return (
            <div class="tracker-edit">
                <label for="tracker-lines">One a line; an empty line begins a tier that is asked when those above fail.</label>
                <textarea id="tracker-lines" rows={8} spellcheck={false} value={editing} autofocus onInput={(event) => setEditing(event.currentTarget.value)} />
                <span><button type="button" class="primary" onClick={() => void save()}>Save</button> <button type="button" onClick={() => setEditing(null)}>Cancel</button></span>
            </div>
        );
    }
    const now = Date.now() / 1000;
    const states: Record<string, string> = { working: "Works", failing: "Fails", waiting: "Not asked yet", announcing: "Being asked…", "given-up": "Said never again" };
    return (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Trackers">
            <div class="files-bar"><span>{plural(trackers.length, "tracker")}</span><span class="grow" /><button type="button" onClick={() => setEditing(text())}>Edit</button></div>
            {trackers.length > 0 && (
                <table>
                    <thead><tr><th>Tier</th><th>Tracker</th><th>State</th><th>It says</th><th class="n">Seeds</th><th class="n">Others</th><th class="n">Peers told</th><th>Asked</th><th>Next</th></tr></thead>
                    <tbody>
                        {trackers.map((tracker) => (
                            <tr key={tracker.tier + tracker.url}>
                                <td>{tracker.tier + 1}</td>
                                <td class="url"><bdi>{tracker.url}</bdi></td>
                                <td><span class={"state " + tracker.state}>{states[tracker.state] ?? tracker.state}</span></td>
                                <td class="says"><bdi>{tracker.message ?? ""}</bdi></td>
                                <td class="n">{tracker.seeds ?? "–"}</td>
                                <td class="n">{tracker.leeches ?? "–"}</td>
                                <td class="n">{tracker.peers ?? "–"}</td>
                                <td>{tracker.last === null ? "–" : duration(Math.max(0, now - tracker.last)) + " ago"}</td>
                                <td>{tracker.next === null ? "–" : "in " + duration(Math.max(0, tracker.next - now))}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            )}
        </div>
    );
}

function Divider() {
    const drag = (event: PointerEvent) => {
        const from = event.clientY, before = height.value;
        const element = event.currentTarget as HTMLElement;
        element.setPointerCapture(event.pointerId);
        element.onpointermove = (moved) => { height.value = Math.min(innerHeight - 200, Math.max(160, before + from - moved.clientY)); };
        element.onpointerup = () => { element.onpointermove = element.onpointerup = null; };
    };
    const keys = (event: KeyboardEvent) => {
        const step = event.key === "ArrowUp" ? 24 : event.key === "ArrowDown" ? -24 : 0;
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        height.value = Math.min(innerHeight - 200, Math.max(160, height.value + step));
    };
    return <div class="divider" role="separator" aria-orientation="horizontal" aria-label="Height of the details" tabIndex={0}
        aria-valuenow={height.value} aria-valuemin={160} aria-valuemax={innerHeight - 200} onPointerDown={drag} onKeyDown={keys} />;
}

export function Details() {
    const id = current.value;
    generation.value;
    const [detail, setDetail] = useState<Detail | null>(null);
    const [peers, setPeers] = useState<Peer[] | null>(null);
    const heading = useRef<HTMLHeadingElement>(null);
    const open = detailsOpen.value && id !== null;
    useEffect(() => { setDetail(null); setPeers(null); }, [id]);
    useEffect(() => { if (open && isPhone.value) heading.current?.focus(); }, [open]);
    usePolling(async () => {
        if (!open) return;
        const next = await get<Detail>(`/torrents/${id}`);
        if (current.value === id) setDetail(next);
    }, 1000, [id, open]);
    const wantsPeers = tab.value === "peers" || tab.value === "swarm";
    usePolling(async () => {
        if (!open || !wantsPeers) return;
        const next = await get<{ peers: Peer[] }>(`/torrents/${id}/peers`);
        if (current.value === id) setPeers(next.peers);
    }, 1500, [id, open, wantsPeers]);
    if (!open) return null;
    const row = rowOf(id) ?? detail;
    if (!row) return null;
    const ready = detail && detail.id === id ? { ...detail, ...rowOf(id) } : null;
    const keys = (event: KeyboardEvent) => {
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        const at = TABS.findIndex(([name]) => name === tab.value);
        tab.value = TABS[(at + step + TABS.length) % TABS.length]![0];
        requestAnimationFrame(() => document.getElementById("tab-" + tab.value)?.focus());
    };
    const kind = kindOf(row);
    const more = (event: MouseEvent) => openMenu(event, menuItems());
    return (
        <>
            {!isPhone.value && <Divider />}
            <section class={"details " + kind} aria-label="Details" style={isPhone.value ? {} : { height: height.value + "px" }}>
                <header class="details-head">
                    {isPhone.value && <IconButton icon="back" label="Back to the list" onClick={() => { detailsOpen.value = false; refresh(); }} />}
                    <div class="details-title">
                        <h2 ref={heading} tabIndex={-1}><bdi>{row.name}</bdi></h2>
                        <p><span class={"dot " + kind} aria-hidden="true" /> {statusOf(row)} · {percent(row.progress)}{row.rate_down > 0 && <> · ↓ {rate(row.rate_down)}</>}{row.rate_up > 0 && <> · ↑ {rate(row.rate_up)}</>}</p>
                    </div>
                    <span class="bulk">
                        {row.running ? <IconButton icon="pause" label="Stop" onClick={stop} /> : <IconButton icon="play" label="Start" onClick={() => start()} />}
                        {!isPhone.value && <IconButton icon="share" label="Share" onClick={share} />}
                        <IconButton icon="bin" label="Remove" class="danger" onClick={() => removeAsked()} />
                        <IconButton icon="more" label="More" expanded={false} onClick={more} />
                        {!isPhone.value && <IconButton icon="close" label="Close details" onClick={() => { detailsOpen.value = false; }} />}
                    </span>
                </header>
                <Bar share={row.progress} kind={kind} label="Progress" />
                <div class="tabs" role="tablist" aria-label="Details" onKeyDown={keys}>
                    {TABS.map(([name, title]) => (
                        <button type="button" role="tab" key={name} id={"tab-" + name} aria-selected={tab.value === name} aria-controls="details-panel"
                            tabIndex={tab.value === name ? 0 : -1} onClick={() => { tab.value = name; }}>{title}</button>
                    ))}
                </div>
                <div class="panel" id="details-panel" role="tabpanel" aria-labelledby={"tab-" + tab.value}>
                    {!ready ? <p class="empty">Loading…</p>
                        : tab.value === "overview" ? <Overview detail={ready} />
                            : tab.value === "files" ? <Files key={ready.id} detail={ready} />
                                : tab.value === "peers" ? <Peers peers={peers} />
                                    : tab.value === "trackers" ? <Trackers key={ready.id} id={ready.id} />
                                        : tab.value === "pieces" ? <PieceMap id={ready.id} live={ready.running} />
                                            : peers && peers.length > 0 ? <SwarmView peers={peers} progress={ready.progress} />
                                                : <p class="empty">{peers ? "Nobody is connected." : "Loading…"}</p>}
                </div>
            </section>
        </>
    );
}

