// SPDX-License-Identifier: MIT
// Small parts that everything is built from: dialogs, menus, switches, bars.
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon, IconName } from "./icons";

export const dialog = signal<JSX.Element | null>(null);

export function openDialog(content: JSX.Element) {
    dialog.value = content;
}

export function closeDialog() {
    dialog.value = null;
}

// The browser's own modal dialog: it keeps the focus inside, and gives it back.
export function Dialog(props: {
    title: string; wide?: boolean; children: ComponentChildren; actions?: ComponentChildren;
    onSubmit?: () => void; onCancel?: () => void;
}) {
    const element = useRef<HTMLDialogElement>(null);
    const gone = useRef(false);
    const id = useId();
    useLayoutEffect(() => {
        const box = element.current!;
        const before = document.activeElement;
        box.showModal();
        return () => {
            gone.current = true;
            box.close();
            if (before instanceof HTMLElement && before.isConnected) before.focus();
        };
    }, []);
    return (
        <dialog ref={element} class={props.wide ? "dialog wide" : "dialog"} aria-labelledby={id}
            onClose={() => { if (!gone.current) closeDialog(); }}
            onCancel={(event) => { event.preventDefault(); (props.onCancel ?? closeDialog)(); }}
            onClick={(event) => { if (event.target === element.current) closeDialog(); }}>
            <form method="dialog" onSubmit={(event) => { event.preventDefault(); props.onSubmit?.(); }}>
                <header>
                    <h2 id={id}>{props.title}</h2>
                    <IconButton icon="close" label="Close" onClick={closeDialog} />
                </header>
                <div class="dialog-body">{props.children}</div>
                {props.actions && <footer>{props.actions}</footer>}
            </form>
        </dialog>
    );
}

export function IconButton(props: {
    icon: IconName; label: string; onClick: (event: MouseEvent) => void; disabled?: boolean;
    pressed?: boolean; class?: string; expanded?: boolean;
}) {
    return (
        <button type="button" class={"icon-button " + (props.class ?? "")} title={props.label}
            aria-label={props.label} disabled={props.disabled ?? false}
            {...(props.pressed === undefined ? {} : { "aria-pressed": props.pressed })}
            {...(props.expanded === undefined ? {} : { "aria-expanded": props.expanded, "aria-haspopup": "menu" })}
            onClick={props.onClick}>
            <Icon name={props.icon} />
        </button>
    );
}

export function Bar({ share, kind, label }: { share: number; kind: string; label?: string }) {
    const width = Math.min(100, Math.max(0, share * 100));
    return (
        <div class={"bar " + kind}
            {...(label
                ? { role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100,
                    "aria-valuenow": Math.floor(width) }
                : { "aria-hidden": true })}>
            <div class="bar-fill" style={{ transform: `scaleX(${width / 100})` }} />
        </div>
    );
}

export function Switch(props: { label: string; checked: boolean; onChange: (on: boolean) => void; hint?: string }) {
    const id = useId();
    return (
        <div class="switch-row">
            <label for={id}>
                <span>{props.label}</span>
                {props.hint && <small>{props.hint}</small>}
            </label>
            <input id={id} type="checkbox" class="switch" checked={props.checked}
                onChange={(event) => props.onChange(event.currentTarget.checked)} />
        </div>
    );
}

export function Field(props: { label: string; children: (id: string) => ComponentChildren; hint?: string }) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{props.label}</label>
            {props.children(id)}
            {props.hint && <small>{props.hint}</small>}
        </div>
    );
}

// A list of tabs and the panel of the chosen one.
export function Tabs<Name extends string>(props: {
    label: string; name: string; tabs: readonly (readonly [Name, string])[]; chosen: Name; choose: (name: Name) => void; children: ComponentChildren;
}) {
    const { name, tabs, chosen, choose } = props;
    const keys = (event: KeyboardEvent) => {
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (!step) return;
        event.preventDefault();
        const at = tabs.findIndex(([one]) => one === chosen);
        const next = tabs[(at + step + tabs.length) % tabs.length]![0];
        choose(next);
        document.getElementById(`${name}-${next}`)?.focus();
    };
    return (
        <>
            <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={keys}>
                {tabs.map(([one, title]) => (
                    <button type="button" role="tab" key={one} id={`${name}-${one}`} aria-selected={one === chosen} aria-controls={name + "-panel"}
                        tabIndex={one === chosen ? 0 : -1} onClick={() => choose(one)}>{title}</button>
                ))}
            </div>
            <div class="tab-panel" id={name + "-panel"} role="tabpanel" aria-labelledby={`${name}-${chosen}`}>{props.children}</div>
        </>
    );
}

export interface MenuItem { label: string; icon?: IconName; danger?: boolean; keys?: string; run: () => void }

const menu = signal<{ items: (MenuItem | null)[]; x: number; y: number } | null>(null);

export function openMenu(event: MouseEvent | { x: number; y: number }, items: (MenuItem | null)[]) {
    // A button that was pressed by a key has no pointer to stand at.
    const button = event instanceof MouseEvent && event.type === "click" && event.detail === 0 && (event.target as Element).getBoundingClientRect();
    menu.value = { items, x: button ? button.left : event.x, y: button ? button.bottom : event.y };
}

export function Menu() {
    const element = useRef<HTMLDivElement>(null);
    const open = menu.value;
    useLayoutEffect(() => {
        const box = element.current;
        if (!open || !box) return;
        const before = document.activeElement;
        const { width, height } = box.getBoundingClientRect();
        box.style.left = Math.max(8, Math.min(open.x, innerWidth - width - 8)) + "px";
        box.style.top = Math.max(8, Math.min(open.y, innerHeight - height - 8)) + "px";
        box.querySelector("button")?.focus();
        return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
    }, [open]);
    useEffect(() => {
        if (!open) return;
        const close = (event: Event) => {
            if (!element.current?.contains(event.target as Node)) menu.value = null;
        };
        addEventListener("pointerdown", close, true);
        addEventListener("resize", close);
        return () => {
            removeEventListener("pointerdown", close, true);
            removeEventListener("resize", close);
        };
    }, [open]);
    if (!open) return null;
    const keys = (event: KeyboardEvent) => {
        const buttons = [...element.current!.querySelectorAll("button")];
        const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
        if (to !== undefined) buttons[(to + buttons.length) % buttons.length]!.focus();
        else if (event.key === "Escape" || event.key === "Tab") menu.value = null;
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    return (
        <div ref={element} class="menu" role="menu" tabIndex={-1} onKeyDown={keys}>
            {open.items.map((item, at) => item === null
                ? <hr key={at} role="separator" />
                : (
                    <button key={at} type="button" role="menuitem" class={item.danger ? "danger" : ""}
                        onClick={() => { menu.value = null; item.run(); }}>
                        {item.icon && <Icon name={item.icon} size={16} />}
                        <span>{item.label}</span>
                        {item.keys && <kbd>{item.keys}</kbd>}
                    </button>
                ))}
        </div>
    );
}

// Calls `work` now and every so often while the component is there and the page is seen.
export function usePolling(work: () => Promise<void>, everyMs: number, keys: unknown[]) {
    useEffect(() => {
        let gone = false;
        let timer = 0;
        const turn = async () => {
            if (!document.hidden) await work().catch(() => undefined);
            if (!gone) timer = window.setTimeout(turn, everyMs);
        };
        void turn();
        return () => {
            gone = true;
            clearTimeout(timer);
        };
    }, keys);
}

// The width and height of an element, for canvases and virtual lists.
export function useSize<T extends HTMLElement>(changed: (width: number, height: number) => void) {
    const element = useRef<T>(null);
    useLayoutEffect(() => {
        const box = element.current!;
        const observer = new ResizeObserver(() => changed(box.clientWidth, box.clientHeight));
        observer.observe(box);
        changed(box.clientWidth, box.clientHeight);
        return () => observer.disconnect();
    }, []);
    return element;
}
