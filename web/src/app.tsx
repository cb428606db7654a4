// SPDX-License-Identifier: MIT
// The page as a whole: bar, filters, list, details; keys, drop and paste.
import { useEffect, useRef, useState } from "preact/hooks";
import { editLabels, editLimits, removeAsked, setAlt, toggleRunning } from "./actions";
import { linksOf, openAdd, openFiles } from "./add";
import { get, hasToken, setToken, type Settings, type Stats } from "./api";
import { Details } from "./details";
import { HelpDialog, SettingsDialog } from "./dialogs";
import { rate } from "./format";
import { Icon, type IconName, Logo } from "./icons";
import { InsideDialog } from "./inside";
import { IntakeDialog } from "./intake";
import { LogDialog } from "./journal";
import { go, List, page, SelectionBar, sortBy, SORTS } from "./list";
import { dismiss, note, toasts } from "./log";
import { SpeedPlot } from "./plot";
import {
    altEnabled, attempt, current, cursor, descending, detailsOpen, filter, type Filter, history, historyTick, isOnItsWay, label, labels, loaded, login,
    offline, refresh, search, selectAll, selected, sort, speed, stats, toggle, totals,
} from "./state";
import { isDark, switchTheme } from "./theme";
import { Dialog, dialog, IconButton, Menu, openDialog, openMenu } from "./ui";

const FILTERS: [Filter, string, IconName][] = [
    ["all", "All", "list"], ["downloading", "Downloading", "down"], ["seeding", "Seeding", "up"], ["active", "Active", "gauge"],
    ["finished", "Finished", "check"], ["stopped", "Stopped", "pause"], ["trouble", "Trouble", "warn"],
];

function openSettings() {
    void attempt(async () => openDialog(<SettingsDialog settings={await get<Settings>("/settings")} />));
}
const openIntake = () => openDialog(<IntakeDialog />);
const openLog = () => openDialog(<LogDialog />);
const openInside = () => openDialog(<InsideDialog />);
const openHelp = () => openDialog(<HelpDialog version={stats.value?.version ?? ""} />);
const openSpeed = () => openDialog(<SpeedDialog />);

function SpeedDialog() {
    return (
        <Dialog title="Speed of all torrents" wide>
            <SpeedPlot samples={history} tick={historyTick.value} height={260} />
        </Dialog>
    );
}

function SearchBox() {
    return (
        <div class="search" role="search">
            <Icon name="search" size={16} />
            <input id="search" type="search" placeholder="Search" aria-label="Search torrents" autocomplete="off" spellcheck={false}
                value={search.value} onInput={(event) => { search.value = event.currentTarget.value; }}
                onKeyDown={(event) => {
                    if (event.key === "Escape") { search.value = ""; event.currentTarget.blur(); }
                    if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); go(0); }
                    event.stopPropagation();
                }} />
            <kbd aria-hidden="true">/</kbd>
        </div>
    );
}

function Top() {
    const phoneMenu = (event: MouseEvent) => openMenu(event, [
        { label: isDark.value ? "Light" : "Dark", icon: isDark.value ? "sun" : "moon", run: switchTheme },
        { label: altEnabled.value ? "Full speed" : "Slow down", icon: "turtle", run: () => void setAlt(!altEnabled.value) },
        { label: "Speed of all", icon: "gauge", run: openSpeed },
        { label: "Settings", icon: "gear", run: openSettings },
        { label: "Added by itself", icon: "intake", run: openIntake },
        { label: "Log", icon: "log", run: openLog },
        { label: "Inside the daemon", icon: "rings", run: openInside },
        null,
        { label: "Sign out", icon: "key", run: () => { setToken(""); location.reload(); } },
    ]);
    return (
        <header class="top">
            <h1><Logo /><span>freshet</span></h1>
            <SearchBox />
            <button type="button" class="speeds" onClick={openSpeed} title="Speed over time">
                <span class="sr">Speed over time: down</span><span class="down"><Icon name="down" size={15} />{loaded.value ? rate(speed.value.down) : "–"}</span>
                <span class="sr">, up</span><span class="up"><Icon name="up" size={15} />{loaded.value ? rate(speed.value.up) : "–"}</span>
            </button>
            <span class="top-buttons">
                <button type="button" class="primary add" onClick={() => openAdd()} aria-label="Add torrents"><Icon name="plus" /><span>Add</span></button>
                <span class="on-phones"><IconButton icon="more" label="Menu" expanded={false} onClick={phoneMenu} /></span>
                <span class="on-desks">
                    <IconButton icon="turtle" label="Slow down" pressed={altEnabled.value} onClick={() => void setAlt(!altEnabled.value)} />
                    <IconButton icon={isDark.value ? "sun" : "moon"} label={isDark.value ? "Light" : "Dark"} onClick={switchTheme} />
                    <IconButton icon="intake" label="Added by itself" onClick={openIntake} />
                    <IconButton icon="log" label="Log" onClick={openLog} />
                    <IconButton icon="rings" label="Inside the daemon" onClick={openInside} />
                    <IconButton icon="gear" label="Settings" onClick={openSettings} />
                    <IconButton icon="help" label="Keys" onClick={openHelp} />
                </span>
            </span>
        </header>
    );
}

function Filters() {
    const choose = (next: Filter) => { filter.value = next; label.value = ""; selected.value = new Set(); };
    return (
        <nav class="filters" aria-label="Filters">
            <ul>
                {FILTERS.map(([name, title, icon]) => (
                    <li key={name}>
                        <button type="button" aria-current={filter.value === name && label.value === "" ? "true" : "false"} onClick={() => choose(name)}
                            class={name === "trouble" && totals.value.trouble > 0 ? "bad" : ""}>
                            <Icon name={icon} size={16} /><span>{title}</span><span class="count">{loaded.value ? totals.value[name].toLocaleString("en") : ""}</span>
                        </button>
                    </li>
                ))}
            </ul>
            {labels.value.length > 0 && (
                <>
                    <h2>Labels</h2>
                    <ul>
                        {labels.value.map(({ name, count }) => (
                            <li key={name}>
                                <button type="button" aria-current={label.value === name ? "true" : "false"}
                                    onClick={() => { filter.value = "all"; label.value = label.value === name ? "" : name; selected.value = new Set(); }}>
                                    <Icon name="tag" size={16} /><bdi class="name">{name}</bdi><span class="count">{count.toLocaleString("en")}</span>
                                </button>
                            </li>
                        ))}
                    </ul>
                </>
            )}
        </nav>
    );
}

function SortChoice() {
    return (
        <div class="sort-choice">
            <label for="sort">Sorted by</label>
            <select id="sort" value={sort.value} onChange={(event) => sortBy(event.currentTarget.value as typeof sort.value)}>
                {SORTS.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
            </select>
            <IconButton icon={descending.value ? "down" : "up"} label={descending.value ? "Descending; turn round" : "Ascending; turn round"}
                onClick={() => { descending.value = !descending.value; }} />
        </div>
    );
}

function Toasts() {
    return (
        <div class="toasts" role="status" aria-live="polite">
            {toasts.value.map((entry) => (
                <div key={entry.number} class={"toast " + entry.kind}>
                    <span><b>{entry.text}</b>{entry.about && <bdi>{entry.about}</bdi>}</span>
                    <IconButton icon="close" label="Dismiss" onClick={() => dismiss(entry.number)} />
                </div>
            ))}
        </div>
    );
}

function Login() {
    const [token, setText] = useState("");
    const [wrong, setWrong] = useState(hasToken());
    const field = useRef<HTMLInputElement>(null);
    useEffect(() => field.current?.focus(), []);
    const enter = (event: Event) => {
        event.preventDefault();
        setToken(token.trim());
        setText("");
        setWrong(true);
        login.value = "unknown";
        refresh(true);
    };
    return (
        <main class="login">
            <form onSubmit={enter}>
                <Logo />
                <h1>freshet</h1>
                <p>This page asks for the daemon’s token. On its machine, <code>freshet web</code> opens the page with it, and <code>freshet web --token</code> prints it.</p>
                <label for="token">Token</label>
                <input id="token" ref={field} type="password" autocomplete="current-password" value={token} aria-invalid={wrong}
                    onInput={(event) => { setText(event.currentTarget.value); setWrong(false); }} />
                {wrong && <p class="error" role="alert">The daemon does not take this token.</p>}
                <button type="submit" class="primary" disabled={token.trim() === ""}>Open</button>
            </form>
        </main>
    );
}

function keyed(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    if (dialog.value || event.altKey || target.closest(".menu")) return;
    const typing = target.matches("input:not([type=checkbox]), textarea, select");
    if (typing) return;
    const at = cursor();
    if (isOnItsWay() && [" ", "Enter", "Delete", "p", "l", "s"].includes(event.key)) { // of which row?
        event.preventDefault();
        return;
    }
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === "a") void selectAll();
    else if (control) return;
    else switch (event.key) {
        case "ArrowDown": case "j": go(at + 1, event.shiftKey); break;
        case "ArrowUp": case "k": go(Math.max(0, at - 1), event.shiftKey); break;
        case "PageDown": go(at + page(), event.shiftKey); break;
        case "PageUp": go(at - page(), event.shiftKey); break;
        case "Home": go(0, event.shiftKey); break;
        case "End": go(Number.MAX_SAFE_INTEGER, event.shiftKey); break;
        case " ":
            if (target.matches("button, input, a, summary")) return;
            if (current.value !== null) toggle(current.value);
            break;
        case "Enter":
            if (target.matches("button, input, a")) return;
            if (current.value !== null) detailsOpen.value = true;
            break;
        case "Delete": removeAsked(event.shiftKey); break;
        case "Escape":
            if (selected.value.size) selected.value = new Set();
            else detailsOpen.value = false;
            break;
        case "/": document.getElementById("search")?.focus(); break;
        case "?": openHelp(); break;
        case "a": openAdd(); break;
        case "p": toggleRunning(); break;
        case "l": editLabels(); break;
        case "s": editLimits(); break;
        case "o": document.getElementById("sort")?.focus(); break;
        case "d": switchTheme(); break;
        default: return;
    }
    event.preventDefault();
}

function useDrop() {
    const [over, setOver] = useState(false);
    useEffect(() => {
        let depth = 0;
        const enter = (event: DragEvent) => { event.preventDefault(); depth++; setOver(true); };
        const leave = () => { if (--depth <= 0) { depth = 0; setOver(false); } };
        const above = (event: DragEvent) => event.preventDefault();
        const drop = (event: DragEvent) => {
            event.preventDefault();
            depth = 0;
            setOver(false);
            if (login.value !== "in") return;
            const files = event.dataTransfer?.files;
            if (files?.length) void openFiles(files);
            else {
                const links = linksOf(event.dataTransfer?.getData("text") ?? "");
                if (links.length) openAdd(links);
            }
        };
        const paste = (event: ClipboardEvent) => {
            if (login.value !== "in" || dialog.value || (event.target as HTMLElement).matches?.("input, textarea")) return;
            const files = event.clipboardData?.files;
            if (files?.length) { void openFiles(files); return; }
            const links = linksOf(event.clipboardData?.getData("text") ?? "");
            if (links.length) openAdd(links);
        };
        addEventListener("dragenter", enter);
        addEventListener("dragleave", leave);
        addEventListener("dragover", above);
        addEventListener("drop", drop);
        addEventListener("paste", paste);
        addEventListener("keydown", keyed);
        return () => {
            removeEventListener("dragenter", enter);
            removeEventListener("dragleave", leave);
            removeEventListener("dragover", above);
            removeEventListener("drop", drop);
            removeEventListener("paste", paste);
            removeEventListener("keydown", keyed);
        };
    }, []);
    return over;
}

export function App() {
    const over = useDrop();
    useEffect(() => {
        if (login.value !== "in" || stats.value) return;
        get<Stats>("/stats").then((answer) => {
            stats.value = answer;
            if (answer.state_trouble) note("bad", "When the daemon started, its state was damaged or missing", answer.state_trouble);
        }, () => undefined);
    }, [login.value]);
    useEffect(() => {
        const { down, up } = speed.value;
        document.title = down > 0 || up > 0 ? `↓ ${rate(down)} ↑ ${rate(up)} – freshet` : "freshet";
    }, [speed.value]);
    if (login.value === "needed") return <><Login /><Toasts /></>;
    return (
        <div class={"app" + (detailsOpen.value && current.value !== null ? " with-details" : "")}>
            <Top />
            {offline.value && <div class="offline" role="alert"><Icon name="warn" size={16} /> The daemon does not answer. This page goes on trying. <button type="button" onClick={() => refresh(true)}>Try now</button></div>}
            <Filters />
            <main>
                <div class="over-list">
                    <SelectionBar />
                    <SortChoice />
                </div>
                <List />
                <Details />
                <Menu />
            </main>
            {over && <div class="drop-hint" aria-hidden="true"><Icon name="down" size={48} /><b>Drop to add</b></div>}
            {dialog.value}
            <Toasts />
        </div>
    );
}

