// SPDX-License-Identifier: MIT
// Dialogs that change torrents.
import { useEffect, useState } from "preact/hooks";
import { get, patch, post, unmarked, type Detail, type Label, type Settings, type Space } from "./api";
import { parseRate, plural, rateText, size } from "./format";
import { Blocklist, Encryption } from "./network";
import { attempt, labels } from "./state";
import { closeDialog, Dialog, Field, Switch } from "./ui";

function Buttons({ what }: { what: string }) {
    return (
        <>
            <button type="button" onClick={closeDialog}>Cancel</button>
            <button type="submit" class="primary">{what}</button>
        </>
    );
}

interface Tagged { name: string; count: number; wish: boolean | null } // null: as each has it

// Several may have different labels: each keeps those that nobody touched here.
export function LabelsDialog({ ids, had, of }: { ids: number[]; had: Label[]; of: number }) {
    const [tags, setTags] = useState<Tagged[]>(had.map(({ name, count }) => ({ name, count, wish: null })));
    const [text, setText] = useState("");
    const withLabel = (name: string): Tagged[] => {
        const known = tags.find((tag) => unmarked(tag.name) === unmarked(name));
        if (!known) return [...tags, { name, count: 0, wish: true }];
        return tags.map((tag) => tag === known ? { ...tag, wish: tag.count === of ? null : true } : tag);
    };
    const add = (label: string) => {
        if (label.trim()) setTags(withLabel(label.trim()));
        setText("");
    };
    // Of some: to all, to none, and back to those that had it.
    const turn = (tag: Tagged) => {
        const mixed = tag.count > 0 && tag.count < of;
        const wish = mixed ? (tag.wish === null ? true : tag.wish ? false : null) : tag.wish === null ? tag.count === 0 : null;
        setTags(tags.map((other) => other === tag ? { ...tag, wish } : other));
    };
    const known = labels.value.map((label) => label.name).filter((name) => !tags.some((tag) => unmarked(tag.name) === name));
    const save = async () => {
        const all = text.trim() ? withLabel(text.trim()) : tags;
        const named = (wish: boolean) => all.filter((tag) => tag.wish === wish && tag.count !== (wish ? of : 0)).map((tag) => tag.name);
        const body = { ids, add_labels: named(true), remove_labels: named(false) };
        if (body.add_labels.length + body.remove_labels.length === 0 || await attempt(() => patch("/torrents", body))) closeDialog();
    };
    return (
        <Dialog title={ids.length === 1 ? "Labels" : `Labels of ${plural(ids.length, "torrent")}`}
            onSubmit={() => void save()} actions={<Buttons what="Save" />}>
            <div class="chips" role="group" aria-label="Labels of these">
                {tags.map((tag) => {
                    const state = tag.wish ?? (tag.count === of ? true : tag.count > 0 ? "mixed" : false);
                    return (
                        <button type="button" class={"chip " + (state === "mixed" ? "some" : state ? "on" : "off")} key={tag.name}
                            role="checkbox" aria-checked={state} onClick={() => turn(tag)}>
                            <bdi class="name">{unmarked(tag.name)}</bdi>{state === "mixed" && <small>{tag.count} of {of}</small>}
                        </button>
                    );
                })}
                {tags.length === 0 && <span class="hint">None yet</span>}
            </div>
            <Field label="New label" hint="Enter adds it">
                {(id) => <input id={id} value={text} maxLength={100} autofocus onInput={(event) => setText(event.currentTarget.value)}
                    onKeyDown={(event) => { if (event.key === "Enter" && text.trim()) { event.preventDefault(); add(text); } }} />}
            </Field>
            {known.length > 0 && (
                <div class="chips" role="group" aria-label="Labels in use">
                    {known.slice(0, 30).map((name) => <button type="button" class="chip" key={name} onClick={() => add(name)}><bdi>{name}</bdi></button>)}
                </div>
            )}
        </Dialog>
    );
}

function LimitField(props: { label: string; on: boolean; text: string; setOn: (on: boolean) => void; setText: (text: string) => void }) {
    const bad = props.on && parseRate(props.text) === null;
    return (
        <div class="limit">
            <Switch label={props.label} checked={props.on} onChange={props.setOn} />
            <span class="unit">
                <input aria-label={props.label + ", bytes a second"} value={props.text} disabled={!props.on} inputMode="text"
                    aria-invalid={bad} onInput={(event) => props.setText(event.currentTarget.value)} /> B/s
            </span>
            {bad && <small class="error">For example 500 k or 2.5 M</small>}
        </div>
    );
}

type Mode = Detail["ratio_mode"];

// A goal that a torrent has as all have it, of its own, or not at all.
function GoalField(props: {
    label: string; unit: string; mode: Mode; setMode: (mode: Mode) => void; text: string; setText: (text: string) => void; bad: boolean;
}) {
    return (
        <Field label={props.label} {...(props.bad ? { hint: "A number above 0" } : {})}>
            {(id) => (
                <span class="pair">
                    <select id={id} value={props.mode} onChange={(event) => props.setMode(event.currentTarget.value as Mode)}>
                        <option value="global">as all torrents</option>
                        <option value="own">of its own</option>
                        <option value="unlimited">never</option>
                    </select>
                    {props.mode === "own" && <span class="unit"><input aria-label={`${props.label}, ${props.unit}`} inputMode="decimal" value={props.text} aria-invalid={props.bad}
                        onInput={(event) => props.setText(event.currentTarget.value)} /> {props.unit}</span>}
                </span>
            )}
        </Field>
    );
}

// null: it is none, or not above 0.
function positive(text: string) {
    const value = Number(text.trim().replace(",", "."));
    return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value : null;
}

const HOUR = 3600;

export function LimitsDialog({ ids, detail }: { ids: number[]; detail: Detail }) {
    const [down, setDown] = useState({ on: detail.download_limited, text: rateText(detail.download_limit || 1024 * 1024) });
    const [up, setUp] = useState({ on: detail.upload_limited, text: rateText(detail.upload_limit || 512 * 1024) });
    const [honors, setHonors] = useState(detail.honors_session_limits);
    const [sequential, setSequential] = useState(detail.sequential);
    const [superSeed, setSuperSeed] = useState(detail.super_seed);
    const [ratioMode, setRatioMode] = useState(detail.ratio_mode);
    const [ratio, setRatio] = useState(String(detail.ratio_goal || 2));
    const [idleMode, setIdleMode] = useState(detail.idle_mode);
    const [idle, setIdle] = useState(String(detail.idle_minutes || 30));
    // So many places that the seconds come out again.
    const [time, setTime] = useState({ on: detail.seed_time !== null, text: String(+((detail.seed_time || 24 * HOUR) / HOUR).toFixed(4)) });
    const [priority, setPriority] = useState(detail.bandwidth_priority);
    const [peers, setPeers] = useState(String(detail.peers_max));
    const [slots, setSlots] = useState(String(detail.upload_slots));
    const [transport, setTransport] = useState(detail.transport);
    const bad = {
        ratio: ratioMode === "own" && positive(ratio) === null,
        idle: idleMode === "own" && Math.round(positive(idle) ?? 0) === 0,
        time: time.on && Math.round((positive(time.text) ?? 0) * HOUR) === 0,
    };
    const downRate = parseRate(down.text), upRate = parseRate(up.text);
    const wishes: Record<string, unknown> = {
        download_limited: down.on, upload_limited: up.on, honors_session_limits: honors, sequential,
        super_seed: superSeed, ratio_mode: ratioMode, idle_mode: idleMode, bandwidth_priority: priority,
        seed_time: time.on ? Math.round((positive(time.text) ?? 0) * HOUR) : null,
        peers_max: parseInt(peers) || 0, upload_slots: parseInt(slots) || 0, transport,
        download_limit: down.on ? downRate : null, upload_limit: up.on ? upRate : null,
        ratio_goal: ratioMode === "own" ? positive(ratio) : null,
        idle_minutes: idleMode === "own" ? Math.round(positive(idle) ?? 0) : null,
    };
    const [shown] = useState(wishes);
    const save = async () => {
        if ((down.on && downRate === null) || (up.on && upRate === null) || bad.ratio || bad.idle || bad.time) return;
        // Several were shown the first one's: they get what was changed, and keep what is theirs.
        const said = Object.entries(wishes).filter(([name, value]) =>
            (value !== null || name === "seed_time") && (ids.length === 1 || value !== shown[name]));
        const body = { ids, ...Object.fromEntries(said) };
        if (await attempt(() => patch("/torrents", body))) closeDialog();
    };
    return (
        <Dialog title={ids.length === 1 ? "Limits and goals" : `Limits of ${plural(ids.length, "torrent")}`}
            onSubmit={() => void save()} actions={<Buttons what="Save" />}>
            {ids.length === 1 && <p class="quote" dir="auto">{detail.name}</p>}
            <LimitField label="Limit download" on={down.on} text={down.text} setOn={(on) => setDown({ ...down, on })} setText={(text) => setDown({ ...down, text })} />
            <LimitField label="Limit upload" on={up.on} text={up.text} setOn={(on) => setUp({ ...up, on })} setText={(text) => setUp({ ...up, text })} />
            <Switch label="The limits of all torrents hold too" checked={honors} onChange={setHonors} />
            <Switch label="In order, from the first piece" hint="To watch or listen before it is finished" checked={sequential} onChange={setSequential} />
            <Switch label="Super-seeding" hint="For the first seed: shows each peer few pieces" checked={superSeed} onChange={setSuperSeed} />
            <GoalField label="Stop at a ratio" unit="ratio" mode={ratioMode} setMode={setRatioMode} text={ratio} setText={setRatio} bad={bad.ratio} />
            <GoalField label="Stop when nobody asks" unit="minutes" mode={idleMode} setMode={setIdleMode} text={idle} setText={setIdle} bad={bad.idle} />
            <div class="limit">
                <Switch label="Stop after a time of seeding" checked={time.on} onChange={(on) => setTime({ ...time, on })} />
                <span class="unit">
                    <input aria-label="Time of seeding, hours" inputMode="decimal" value={time.text} disabled={!time.on} aria-invalid={bad.time}
                        onInput={(event) => setTime({ ...time, text: event.currentTarget.value })} /> hours
                </span>
                {bad.time && <small class="error">For example 48 or 0.5</small>}
            </div>
            <Field label="Share of the bandwidth">
                {(id) => (
                    <select id={id} value={String(priority)} onChange={(event) => setPriority(parseInt(event.currentTarget.value))}>
                        <option value="1">more</option><option value="0">as others</option><option value="-1">less</option>
                    </select>
                )}
            </Field>
            <Field label="Peers at most" hint="0: as the settings say">
                {(id) => <input id={id} inputMode="numeric" value={peers} onInput={(event) => setPeers(event.currentTarget.value)} />}
            </Field>
            <Field label="Uploads at once" hint="0: as the settings say">
                {(id) => <input id={id} inputMode="numeric" value={slots} onInput={(event) => setSlots(event.currentTarget.value)} />}
            </Field>
            <Field label="Connections" hint="Peers that come by the other are let go">
                {(id) => (
                    <select id={id} value={transport} onChange={(event) => setTransport(event.currentTarget.value as Detail["transport"])}>
                        <option value="any">what answers first</option><option value="tcp">TCP alone</option><option value="utp">uTP alone</option>
                    </select>
                )}
            </Field>
        </Dialog>
    );
}

export function useSpace(folder: string) {
    const [space, setSpace] = useState<Space | null>(null);
    useEffect(() => {
        const timer = setTimeout(() => {
            get<Space>("/free-space" + (folder ? "?folder=" + encodeURIComponent(folder) : "")).then(setSpace, () => setSpace(null));
        }, 250);
        return () => clearTimeout(timer);
    }, [folder]);
    return space;
}

export function MoveDialog({ ids, folder }: { ids: number[]; folder: string }) {
    const [to, setTo] = useState(folder);
    const [data, setData] = useState(true);
    const space = useSpace(to);
    const save = async () => {
        if (await attempt(() => post("/torrents/move", { ids, folder: to.trim(), move_data: data }))) closeDialog();
    };
    return (
        <Dialog title={ids.length === 1 ? "Move" : `Move ${plural(ids.length, "torrent")}`} onSubmit={() => void save()}
            actions={<Buttons what={data ? "Move" : "Look there"} />}>
            <Field label="Folder on the daemon's machine" hint={space ? size(space.free) + " free" : "\u00a0"}>
                {(id) => <input id={id} value={to} autofocus spellcheck={false} onInput={(event) => setTo(event.currentTarget.value)} />}
            </Field>
            <label class="check">
                <input type="checkbox" checked={data} onChange={(event) => setData(event.currentTarget.checked)} />
                <span>Move the files<small>Without this, they are looked for in the new folder.</small></span>
            </label>
        </Dialog>
    );
}

export function RenameDialog({ id: torrent, name }: { id: number; name: string }) {
    const [text, setText] = useState(name);
    const save = async () => {
        if (await attempt(() => post(`/torrents/${torrent}/rename`, { path: name, name: text.trim() }))) closeDialog();
    };
    return (
        <Dialog title="Rename" onSubmit={() => void save()} actions={<Buttons what="Rename" />}>
            <Field label="Name" hint="Of the file or folder on the disk too">
                {(id) => <input id={id} value={text} autofocus dir="auto" onInput={(event) => setText(event.currentTarget.value)} />}
            </Field>
        </Dialog>
    );
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

function clock(minutes: number) {
    return String(Math.floor(minutes / 60)).padStart(2, "0") + ":" + String(minutes % 60).padStart(2, "0");
}

function minutes(text: string) {
    const [hours, rest] = text.split(":").map(Number);
    return (hours ?? 0) * 60 + (rest ?? 0);
}

type Group = "Speed" | "Downloads" | "Queue" | "Seeding" | "Network";
const GROUPS: Group[] = ["Speed", "Downloads", "Queue", "Seeding", "Network"];

export function SettingsDialog({ settings }: { settings: Settings }) {
    const [now, setNow] = useState(settings);
    const [texts, setTexts] = useState({
        download_limit: rateText(settings.download_limit), upload_limit: rateText(settings.upload_limit),
        alt_download_limit: rateText(settings.alt_download_limit), alt_upload_limit: rateText(settings.alt_upload_limit),
    });
    const [group, setGroup] = useState<Group>("Speed");
    const set = (change: Partial<Settings>) => setNow({ ...now, ...change });
    const save = async () => {
        const change: Record<string, unknown> = {};
        const next: Settings = { ...now };
        for (const [key, text] of Object.entries(texts)) {
            const value = parseRate(text);
            if (value === null) { setGroup("Speed"); return; }
            next[key as keyof typeof texts] = value;
        }
        for (const key of Object.keys(next) as (keyof Settings)[]) {
            if (JSON.stringify(next[key]) !== JSON.stringify(settings[key])) change[key] = next[key];
        }
        if (await attempt(() => patch("/settings", change))) closeDialog();
    };
    const toggle = (key: keyof Settings, label: string, hint?: string) => (
        <Switch label={label} checked={now[key] as boolean} onChange={(on) => set({ [key]: on })} {...(hint ? { hint } : {})} />
    );
    const number = (key: keyof Settings, label: string, hint?: string) => (
        <Field label={label} {...(hint ? { hint } : {})}>
            {(id) => <input id={id} type="number" min={0} step={key === "ratio" ? 0.1 : 1} value={String(now[key])}
                onInput={(event) => set({ [key]: event.currentTarget.valueAsNumber || 0 })} />}
        </Field>
    );
    const limit = (key: keyof typeof texts, label: string, on?: "download_limited" | "upload_limited") => on
        ? <LimitField label={label} on={now[on]} text={texts[key]} setOn={(value) => set({ [on]: value })} setText={(text) => setTexts({ ...texts, [key]: text })} />
        : (
            <Field label={label}>
                {(id) => <span class="unit"><input id={id} value={texts[key]} aria-invalid={parseRate(texts[key]) === null}
                    onInput={(event) => setTexts({ ...texts, [key]: event.currentTarget.value })} /> B/s</span>}
            </Field>
        );
    const pages: Record<Group, () => preact.JSX.Element> = {
        Speed: () => <>
            {limit("download_limit", "Limit download", "download_limited")}
            {limit("upload_limit", "Limit upload", "upload_limited")}
            <h3>Slow hours</h3>
            {toggle("alt_enabled", "Slow now")}
            {limit("alt_download_limit", "Download then")}
            {limit("alt_upload_limit", "Upload then")}
            {toggle("schedule_enabled", "By a weekly schedule")}
            {now.schedule_enabled && <>
                <div class="pair">
                    <Field label="From">{(id) => <input id={id} type="time" value={clock(now.schedule_begin)} onInput={(event) => set({ schedule_begin: minutes(event.currentTarget.value) })} />}</Field>
                    <Field label="Until">{(id) => <input id={id} type="time" value={clock(now.schedule_end)} onInput={(event) => set({ schedule_end: minutes(event.currentTarget.value) })} />}</Field>
                </div>
                <div class="chips" role="group" aria-label="Days">
                    {DAYS.map((day, at) => <button type="button" key={day} class={now.schedule_days >> at & 1 ? "chip on" : "chip"} aria-pressed={(now.schedule_days >> at & 1) === 1}
                        onClick={() => set({ schedule_days: now.schedule_days ^ 1 << at })}>{day}</button>)}
                </div>
            </>}
        </>,
        Downloads: () => <>
            <Field label="Downloads go to">{(id) => <input id={id} value={now.download_folder} spellcheck={false} onInput={(event) => set({ download_folder: event.currentTarget.value })} />}</Field>
            {toggle("incomplete_enabled", "Keep unfinished ones elsewhere")}
            {now.incomplete_enabled && <Field label="Folder of unfinished ones">{(id) => <input id={id} value={now.incomplete_folder} spellcheck={false} onInput={(event) => set({ incomplete_folder: event.currentTarget.value })} />}</Field>}
            {toggle("part_suffix", "“.part” behind names of unfinished files")}
            {toggle("start_added", "Start what is added")}
        </>,
        Queue: () => <>
            {toggle("download_queue_enabled", "Few downloads at once")}
            {now.download_queue_enabled && number("download_queue", "Downloads at once")}
            {toggle("seed_queue_enabled", "Few seeds at once")}
            {now.seed_queue_enabled && number("seed_queue", "Seeds at once")}
            {toggle("queue_stalled_enabled", "Who has no traffic does not count")}
            {now.queue_stalled_enabled && number("queue_stalled_minutes", "After minutes")}
        </>,
        Seeding: () => <>
            {toggle("ratio_limited", "Stop at a ratio")}
            {now.ratio_limited && number("ratio", "Ratio")}
            {toggle("idle_limited", "Stop when nobody asks")}
            {now.idle_limited && number("idle_minutes", "For minutes")}
            {number("upload_slots", "Uploads at once, per torrent", "0: as many as the line carries")}
        </>,
        Network: () => <>
            {number("peer_port", "Port for peers")}
            {toggle("port_mapping", "Ask the router to open it")}
            {number("peers_max", "Peers in all")}
            {number("peers_per_torrent", "Peers per torrent")}
            {toggle("dht", "DHT", "Finds peers without trackers")}
            {toggle("pex", "Peer exchange")}
            {toggle("lsd", "Local network")}
            {toggle("utp", "uTP", "Yields to all other traffic; beside TCP")}
            <Encryption now={now} set={set} />
            <Field label="Trackers for every public torrent" hint="One a line">
                {(id) => <textarea id={id} rows={3} spellcheck={false} value={now.default_trackers.join("\n")}
                    onInput={(event) => set({ default_trackers: event.currentTarget.value.split("\n").map((line) => line.trim()).filter(Boolean) })} />}
            </Field>
            <Blocklist now={now} set={set} />
        </>,
    };
    const keys = (event: KeyboardEvent) => {
        const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
        if (!step) return;
        event.preventDefault();
        const next = GROUPS[(GROUPS.indexOf(group) + step + GROUPS.length) % GROUPS.length]!;
        setGroup(next);
        document.getElementById("settings-" + next)?.focus();
    };
    return (
        <Dialog title="Settings" wide onSubmit={() => void save()} actions={<Buttons what="Save" />}>
            <div class="settings">
                <div class="settings-tabs" role="tablist" aria-label="Settings" onKeyDown={keys}>
                    {GROUPS.map((name) => (
                        <button type="button" role="tab" key={name} id={"settings-" + name} aria-selected={name === group}
                            aria-controls="settings-panel" tabIndex={name === group ? 0 : -1} onClick={() => setGroup(name)}>{name}</button>
                    ))}
                </div>
                <div id="settings-panel" class="settings-panel" role="tabpanel" aria-labelledby={"settings-" + group} tabIndex={0}>{pages[group]()}</div>
            </div>
        </Dialog>
    );
}

const KEYS: [string, string][] = [
    ["↑ ↓", "go through the list"], ["Shift ↑ ↓", "select on the way"], ["Enter", "details"],
    ["Space", "select or not"], ["Ctrl A", "select all"], ["P", "start or stop"], ["Del", "remove"],
    ["Shift Del", "remove with its files"], ["/", "search"], ["A", "add"], ["L", "labels"],
    ["S", "speed limits"], ["O", "order of the list"], ["Tab ← →", "heads of the columns"], ["+ −", "a file’s priority"], ["D", "dark or light"], ["Esc", "close, or select nothing"], ["?", "these keys"],
];

export function HelpDialog({ version }: { version: string }) {
    return (
        <Dialog title="Keys">
            <dl class="keys">
                {KEYS.map(([key, what]) => <div key={key}><dt>{key.split(" ").map((part) => <kbd key={part}>{part}</kbd>)}</dt><dd>{what}</dd></div>)}
            </dl>
            <p class="hint">Links and .torrent files can be dropped or pasted anywhere. {version && "freshet " + version}</p>
        </Dialog>
    );
}
