// SPDX-License-Identifier: MIT
// The daemon's log, followed, and what this page has seen happen.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { get, type LogLine, query, words } from "./api";
import { entries } from "./log";
import { daemonRun } from "./state";
import { Dialog, Field, Switch, Tabs, usePolling } from "./ui";

const KEPT = 1000; // lines; so many does the daemon keep
const TABS = [["daemon", "Daemon"], ["page", "This page"]] as const;
type Tab = typeof TABS[number][0];
const times = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const KINDS: Record<string, string> = { error: "bad", warning: "warn" };

function fieldsOf(line: LogLine) {
    return Object.entries(line.fields).map(([name, value]) => `${name}=${String(value)}`).join("  ");
}

function fits(line: LogLine, text: string, severe: boolean) {
    if (severe && !(line.level in KINDS)) return false;
    const whole = `${line.level} ${line.event} ${fieldsOf(line)}`.toLowerCase();
    return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word));
}

function DaemonLog() {
    const [lines, setLines] = useState<LogLine[] | null>(null);
    const [fault, setFault] = useState("");
    const [follow, setFollow] = useState(true);
    const [text, setText] = useState("");
    const [severe, setSevere] = useState(false);
    const place = useRef({ next: 0, run: daemonRun() });
    const list = useRef<HTMLUListElement>(null);
    usePolling(async () => {
        if (!follow) return;
        const at = place.current;
        const anew = at.run !== daemonRun(); // another daemon counts from 1 again
        const from = anew ? 0 : at.next;
        try {
            const answer = await get<{ lines: LogLine[]; next: number }>("/log" + query({ from }));
            place.current = { next: answer.next, run: daemonRun() };
            setFault("");
            setLines((all) => from > 0 && answer.lines.length === 0 ? all : [...(from === 0 ? [] : all ?? []), ...answer.lines].slice(-KEPT));
        } catch (error) {
            setFault(words(error));
        }
    }, 1000, [follow]);
    const shown = (lines ?? []).filter((line) => fits(line, text, severe));
    useLayoutEffect(() => {
        if (follow && list.current) list.current.scrollTop = list.current.scrollHeight;
    }, [follow, shown.at(-1)?.number, shown.length]);
    return (
        <>
            <Field label="Only lines with">
                {(id) => <input id={id} type="search" value={text} spellcheck={false} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />}
            </Field>
            <div class="log-choices">
                <Switch label="Follow" checked={follow} onChange={setFollow} />
                <Switch label="Warnings and errors only" checked={severe} onChange={setSevere} />
            </div>
            {fault && <p class="error" role="alert">{fault}</p>}
            <div class="log-frame" role="region" aria-label="Lines of the daemon’s log">
                <ul class="log lines" ref={list} tabIndex={0} aria-label="Lines">
                    {shown.map((line) => (
                        <li key={line.number} class={KINDS[line.level] ?? ""}>
                            <time>{times.format(line.time * 1000)}</time>
                            <span>{line.level in KINDS && <span class="level">{line.level}</span>} <b><bdi>{line.event}</bdi></b><bdi>{fieldsOf(line)}</bdi></span>
                        </li>
                    ))}
                    {lines && shown.length === 0 && <li class="hint">{lines.length ? "No line fits." : "The log is empty."}</li>}
                </ul>
            </div>
        </>
    );
}

function PageLog() {
    if (entries.value.length === 0) return <p class="empty">Nothing has happened since this page was opened.</p>;
    return (
        <ul class="log">
            {entries.value.map((entry) => (
                <li key={entry.number} class={entry.kind}>
                    <time>{times.format(entry.time * 1000)}</time>
                    <span><b>{entry.text}</b>{entry.about && <bdi>{entry.about}</bdi>}</span>
                </li>
            ))}
        </ul>
    );
}

export function LogDialog() {
    const [tab, setTab] = useState<Tab>("daemon");
    return (
        <Dialog title="Log" wide>
            <Tabs label="Log" name="log" tabs={TABS} chosen={tab} choose={setTab}>
                {tab === "daemon" ? <DaemonLog /> : <PageLog />}
            </Tabs>
        </Dialog>
    );
}
