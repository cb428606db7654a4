// SPDX-License-Identifier: MIT
// What is added by itself: folders that are watched, feeds that are read, and what they found.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type FeedItem, type FeedRule, get, type IntakeEntry, post, type WatchRule, words } from "./api";
import { duration, plural, size } from "./format";
import { Icon } from "./icons";
import { note } from "./log";
import { refresh } from "./state";
import { closeDialog, Dialog, Field, IconButton, Switch, Tabs, usePolling } from "./ui";

type Kind = "watch" | "feeds";
type Rule = WatchRule | FeedRule;
type Entry = IntakeEntry<Rule>;
type View = { show: "list" } | { show: "form"; entry: Entry | null } | { show: "items"; id: number };
const TABS = [["watch", "Folders"], ["feeds", "Feeds"]] as const;

const nameOf = (rule: Rule) => "path" in rule ? rule.path : rule.url;
const lines = (text: string) => text.split("\n").map((line) => line.trim()).filter(Boolean);

function sayStatus({ rule, status }: Entry) {
    if (!status.looked) return "Not looked at yet";
    const found = plural(status.found, "path" in rule ? "file" : "item");
    const ago = duration(Math.max(0, Date.now() / 1000 - status.looked));
    return `${found} there, ${status.taken.toLocaleString("en")} taken; looked ${ago} ago`;
}

function RuleRow({ entry, show, remove }: { entry: Entry; show: (view: View) => void; remove: (entry: Entry) => void }) {
    const [asked, setAsked] = useState(false);
    const { rule, status } = entry;
    const title = status.title || nameOf(rule);
    const kept = useRef<HTMLButtonElement>(null);
    useEffect(() => { if (asked) kept.current?.focus(); }, [asked]);
    return (
        <li>
            <Icon name={"path" in rule ? "folder" : "feed"} />
            <span class="found-text">
                <bdi class="name">{title}</bdi>
                {title !== nameOf(rule) && <bdi class="path">{nameOf(rule)}</bdi>}
                <small>{sayStatus(entry)}</small>
                {status.trouble && <small class="error"><bdi>{status.trouble}</bdi></small>}
            </span>
            {asked ? (
                <span class="bulk">
                    <button type="button" class="danger" onClick={() => remove(entry)} aria-label={"Remove " + title}>Remove</button>
                    <button type="button" ref={kept} onClick={() => setAsked(false)} aria-label={"Keep " + title}>Keep</button>
                </span>
            ) : (
                <span class="bulk">
                    {"url" in rule && <IconButton icon="list" label={"Items of " + title} onClick={() => show({ show: "items", id: rule.id })} />}
                    <IconButton icon="gear" label={"Change " + title} onClick={() => show({ show: "form", entry })} />
                    <IconButton icon="bin" class="danger" label={"Remove " + title} onClick={() => setAsked(true)} />
                </span>
            )}
        </li>
    );
}

function Rules({ kind, show }: { kind: Kind; show: (view: View) => void }) {
    const [entries, setEntries] = useState<Entry[] | null>(null);
    const [fault, setFault] = useState("");
    const load = async () => {
        try {
            setEntries((await get<{ rules: Entry[] }>("/" + kind)).rules);
            setFault("");
        } catch (error) {
            setFault(words(error));
        }
    };
    usePolling(load, 2000, [kind]);
    const remove = async (entry: Entry) => {
        try {
            await ask("DELETE", `/${kind}/${entry.rule.id}`);
            note("info", kind === "watch" ? "Watched no longer" : "Read no longer", nameOf(entry.rule));
            await load();
            document.getElementById("rule-add")?.focus();
        } catch (error) {
            setFault(words(error));
        }
    };
    return (
        <>
            <p class="hint">{kind === "watch"
                ? "Torrents and files of magnet links that are put into one of these folders are added by themselves."
                : "Items of these RSS and Atom feeds are added by themselves when a filter fits."}</p>
            {fault && <p class="error" role="alert">{fault}</p>}
            {entries && entries.length > 0 && (
                <ul class="found rules" aria-label={kind === "watch" ? "Folders that are watched" : "Feeds that are read"}>
                    {entries.map((entry) => <RuleRow key={entry.rule.id} entry={entry} show={show} remove={(one) => void remove(one)} />)}
                </ul>
            )}
            {entries?.length === 0 && <p class="empty">{kind === "watch" ? "No folder is watched." : "No feed is read."}</p>}
            <button type="button" id="rule-add" class="begin" onClick={() => show({ show: "form", entry: null })}>
                <Icon name="plus" />{kind === "watch" ? "Watch a folder" : "Read a feed"}
            </button>
        </>
    );
}

// The fields of a rule, as they are typed.
function typedOf(rule: Rule | undefined) {
    const feed = rule && "url" in rule ? rule : undefined;
    return {
        name: rule ? nameOf(rule) : "", folder: rule?.folder ?? "", start: !rule?.stopped, labels: (rule?.labels ?? []).join("\n"),
        after: rule && "after" in rule ? rule.after : "keep" as WatchRule["after"],
        minutes: String((feed?.interval ?? 1800) / 60), include: (feed?.include ?? []).join("\n"),
        exclude: (feed?.exclude ?? []).join("\n"), once: feed?.once ?? false,
    };
}
type Typed = ReturnType<typeof typedOf>;

function bodyOf(kind: Kind, typed: Typed) {
    const common = { folder: typed.folder.trim() || null, stopped: !typed.start, labels: lines(typed.labels) };
    return kind === "watch"
        ? { path: typed.name.trim(), after: typed.after, ...common }
        : { url: typed.name.trim(), interval: Math.round(parseFloat(typed.minutes) * 60) || 0, include: lines(typed.include),
            exclude: lines(typed.exclude), once: typed.once, ...common };
}

function RuleFields({ kind, typed, old, set }: { kind: Kind; typed: Typed; old: boolean; set: (change: Partial<Typed>) => void }) {
    const first = useRef<HTMLInputElement>(null);
    useEffect(() => first.current?.focus(), []);
    const area = (key: "labels" | "include" | "exclude", label: string, hint: string) => (
        <Field label={label} hint={hint}>
            {(id) => <textarea id={id} rows={2} spellcheck={false} value={typed[key]} onInput={(event) => set({ [key]: event.currentTarget.value })} />}
        </Field>
    );
    return (
        <>
            <Field label={kind === "watch" ? "Folder on the daemon’s machine" : "URL of the feed"}>
                {(id) => <input id={id} ref={first} value={typed.name} readOnly={old} required spellcheck={false}
                    onInput={(event) => set({ name: event.currentTarget.value })} />}
            </Field>
            {kind === "watch" ? (
                <Field label="A file that was taken">
                    {(id) => (
                        <select id={id} value={typed.after} onChange={(event) => set({ after: event.currentTarget.value as WatchRule["after"] })}>
                            <option value="keep">stays as it is</option>
                            <option value="rename">gets “.added” behind its name</option>
                            <option value="delete">is deleted</option>
                        </select>
                    )}
                </Field>
            ) : (
                <>
                    {area("include", "Only items with", "One filter a line: words that are all in the title, or /an expression/. None: all items")}
                    {area("exclude", "But none with", "One a line, the same way")}
                    <Switch label="Each episode once" hint="Whatever else its title says" checked={typed.once} onChange={(once) => set({ once })} />
                    <Field label="Read every so many minutes">
                        {(id) => <input id={id} type="number" min={1} max={10080} step="any" value={typed.minutes} onInput={(event) => set({ minutes: event.currentTarget.value })} />}
                    </Field>
                </>
            )}
            <Field label="Data go to" hint="A folder on the daemon’s machine; empty: where downloads go">
                {(id) => <input id={id} value={typed.folder} spellcheck={false} onInput={(event) => set({ folder: event.currentTarget.value })} />}
            </Field>
            {area("labels", "Labels", "One a line")}
            <Switch label="Start at once" checked={typed.start} onChange={(start) => set({ start })} />
        </>
    );
}

function sayItem(item: FeedItem) {
    return item.taken ? "Taken" : !item.link ? "Nothing to take" : item.fits ? "Fits" : "No filter fits";
}

function Items({ id }: { id: number }) {
    const [answer, setAnswer] = useState<(Entry & { items: FeedItem[] }) | null>(null);
    const [fault, setFault] = useState("");
    usePolling(async () => {
        try {
            setAnswer(await get(`/feeds/${id}`));
            setFault("");
        } catch (error) {
            setFault(words(error));
        }
    }, 3000, [id]);
    if (!answer) return fault ? <p class="error" role="alert">{fault}</p> : <p class="empty">Loading…</p>;
    return (
        <>
            <p class="quote"><bdi>{answer.status.title || nameOf(answer.rule)}</bdi></p>
            <p class={answer.status.trouble ? "error" : "hint"}><bdi>{answer.status.trouble || sayStatus(answer)}</bdi></p>
            {answer.items.length > 0 && (
                <ul class="found items" aria-label="Items" tabIndex={0}>
                    {answer.items.map((item, at) => (
                        <li key={at}>
                            <span class="found-text">
                                <bdi class="name">{item.title || "–"}</bdi>
                                <small>{sayItem(item)}{item.size > 0 && <>, {size(item.size)}</>}</small>
                                {item.link && <bdi class="path">{item.link}</bdi>}
                            </span>
                            {item.taken && <Icon name="check" />}
                        </li>
                    ))}
                </ul>
            )}
        </>
    );
}

export function IntakeDialog() {
    const [kind, setKind] = useState<Kind>("watch");
    const [view, setView] = useState<View>({ show: "list" });
    const [typed, setTyped] = useState<Typed>(typedOf(undefined));
    const [fault, setFault] = useState("");
    const show = (next: View) => {
        if (next.show === "form") setTyped(typedOf(next.entry?.rule));
        setFault("");
        setView(next);
    };
    const back = () => {
        show({ show: "list" });
        requestAnimationFrame(() => document.getElementById("rule-add")?.focus());
    };
    const save = async () => {
        try {
            await post("/" + kind, bodyOf(kind, typed));
            refresh();
            back();
        } catch (error) {
            setFault(words(error));
        }
    };
    if (view.show === "form") {
        const title = kind === "watch" ? (view.entry ? "Watched folder" : "Watch a folder") : view.entry ? "Feed" : "Read a feed";
        return (
            <Dialog key="form" title={title} wide onSubmit={() => void save()} onCancel={back}
                actions={<><button type="button" onClick={back}>Cancel</button><button type="submit" class="primary">Save</button></>}>
                {fault && <p class="error" role="alert">{fault}</p>}
                <RuleFields kind={kind} typed={typed} old={view.entry !== null} set={(change) => setTyped({ ...typed, ...change })} />
            </Dialog>
        );
    }
    if (view.show === "items") {
        return (
            <Dialog key="items" title="Items of a feed" wide onCancel={back} actions={<button type="button" onClick={back} autofocus>Back</button>}>
                <Items id={view.id} />
            </Dialog>
        );
    }
    return (
        <Dialog key="list" title="Added by itself" wide actions={<button type="button" onClick={closeDialog}>Close</button>}>
            <Tabs label="Added by itself" name="intake" tabs={TABS} chosen={kind} choose={setKind}>
                <Rules key={kind} kind={kind} show={show} />
            </Tabs>
        </Dialog>
    );
}
