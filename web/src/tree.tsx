// SPDX-License-Identifier: MIT
// A torrent's files as a tree: folders add up what is in them, and only rows in sight exist.
import { useMemo, useState } from "preact/hooks";
import { percent, plural, size } from "./format";
import { Icon } from "./icons";
import { Bar, useSize } from "./ui";

export interface TreeFile { index: number; path: string; length: number; done?: number; priority: number; padding?: boolean }

interface Node {
    name: string;
    path: string;
    depth: number;
    children: Node[] | null; // null: a file
    files: TreeFile[]; // below it
    length: number;
}

const ROW = 36;

function build(files: TreeFile[]): Node {
    const root: Node = { name: "", path: "", depth: -1, children: [], files: [], length: 0 };
    const folders = new Map<string, Node>([["", root]]);
    const folderOf = (path: string): Node => {
        const known = folders.get(path);
        if (known) return known;
        const cut = path.lastIndexOf("/");
        const parent = folderOf(cut < 0 ? "" : path.slice(0, cut));
        const node: Node = { name: path.slice(cut + 1), path, depth: parent.depth + 1, children: [], files: [], length: 0 };
        folders.set(path, node);
        parent.children!.push(node);
        return node;
    };
    for (const file of files) {
        if (file.padding) continue;
        const cut = file.path.lastIndexOf("/");
        const parent = folderOf(cut < 0 ? "" : file.path.slice(0, cut));
        parent.children!.push({
            name: file.path.slice(cut + 1), path: file.path, depth: parent.depth + 1, children: null, files: [file], length: file.length,
        });
    }
    const add = (node: Node) => {
        for (const child of node.children ?? []) {
            add(child);
            for (const file of child.files) node.files.push(file);
            node.length += child.length;
        }
        node.children?.sort((a, b) =>
            Number(a.children === null) - Number(b.children === null) || a.name.localeCompare(b.name, undefined, { numeric: true }));
    };
    add(root);
    return root;
}

function flatten(root: Node, closed: ReadonlySet<string>): Node[] {
    const rows: Node[] = [];
    const walk = (node: Node) => {
        for (const child of node.children!) {
            rows.push(child);
            if (child.children && !closed.has(child.path)) walk(child);
        }
    };
    walk(root);
    return rows;
}

export const PRIORITIES: [number, string][] = [[7, "High"], [4, "Normal"], [1, "Low"], [0, "Skip"]];

function priorityOf(node: Node, files: ReadonlyMap<number, TreeFile>): number | null {
    let found: number | null = null;
    for (const { index } of node.files) {
        const value = files.get(index)!.priority;
        const near = value === 0 ? 0 : value < 4 ? 1 : value > 4 ? 7 : 4;
        if (found !== null && found !== near) return null;
        found = near;
    }
    return found;
}

export function FileTree({ files, onPriority, onPlay, withDone, simple }: {
    files: TreeFile[]; onPriority: (indices: number[], priority: number) => void; onPlay?: (file: TreeFile) => void; withDone?: boolean; simple?: boolean;
}) {
    // The tree stands as long as paths do; amounts come from the newest list.
    const shape = files.length + (files[0]?.path ?? "") + (files.at(-1)?.path ?? "");
    const root = useMemo(() => build(files), [shape]);
    const byIndex = useMemo(() => new Map(files.map((file) => [file.index, file])), [files]);
    const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
    const rows = useMemo(() => flatten(root, closed), [root, closed]);
    const [view, setView] = useState({ first: 0, count: 20 });
    const [at, setAt] = useState(0);
    const [said, setSaid] = useState(""); // for who does not see it
    const look = () => {
        const element = box.current;
        if (!element) return;
        const first = Math.max(0, Math.floor(element.scrollTop / ROW) - 4);
        const count = Math.ceil(element.clientHeight / ROW) + 9;
        if (first !== view.first || count !== view.count) setView({ first, count });
    };
    const box = useSize<HTMLDivElement>(look);
    const fold = (node: Node, shut: boolean) => {
        const next = new Set(closed);
        if (shut) next.add(node.path);
        else next.delete(node.path);
        setClosed(next);
    };
    const indices = (node: Node) => node.files.map((file) => file.index);
    const flip = (node: Node) => onPriority(indices(node), priorityOf(node, byIndex) === 0 ? 4 : 0);
    const shift = (node: Node, by: number) => {
        const now = PRIORITIES.findIndex(([value]) => value === (priorityOf(node, byIndex) ?? 4));
        const [value, name] = PRIORITIES[Math.max(0, Math.min(PRIORITIES.length - 1, now + by))]!;
        onPriority(indices(node), value);
        setSaid(`${node.name}: ${name}`);
    };
    const keys = (event: KeyboardEvent) => {
        if (event.target !== box.current) return;
        const node = rows[at];
        let to = at;
        if (event.key === "ArrowDown") to = at + 1;
        else if (event.key === "ArrowUp") to = at - 1;
        else if (event.key === "Home") to = 0;
        else if (event.key === "End") to = rows.length - 1;
        else if (event.key === "ArrowLeft" && node?.children) fold(node, true);
        else if (event.key === "ArrowRight" && node?.children) fold(node, false);
        else if (event.key === " " && node) flip(node);
        else if (event.key === "Enter" && node && !node.children && onPlay) onPlay(byIndex.get(node.files[0]!.index)!);
        else if ((event.key === "+" || event.key === "-") && node && !simple) shift(node, event.key === "+" ? -1 : 1);
        else return;
        event.preventDefault();
        event.stopPropagation();
        to = Math.max(0, Math.min(rows.length - 1, to));
        setAt(to);
        const element = box.current!;
        if (to * ROW < element.scrollTop) element.scrollTop = to * ROW;
        else if ((to + 1) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (to + 1) * ROW - element.clientHeight;
    };
    const first = Math.max(0, Math.min(view.first, rows.length - view.count));
    const shown = rows.slice(first, first + view.count);
    return (
        <>
            <div ref={box} class={"tree" + (withDone ? " with-done" : "")} role="treegrid" aria-label="Files" tabIndex={0} aria-rowcount={rows.length}
                onScroll={look} onKeyDown={keys} {...(rows[at] ? { "aria-activedescendant": "file-" + at } : {})}>
                <div role="rowgroup" class="rows" style={{ height: rows.length * ROW + "px" }}>
                    {shown.map((node, offset) => {
                        const index = first + offset;
                        const priority = priorityOf(node, byIndex);
                        const done = node.files.reduce((sum, file) => sum + (byIndex.get(file.index)!.done ?? 0), 0);
                        const share = node.length ? done / node.length : 1;
                        return (
                            <div key={node.path} id={"file-" + index} class={"tree-row" + (index === at ? " here" : "") + (priority === 0 ? " skipped" : "")}
                                role="row" aria-level={node.depth + 1} aria-rowindex={index + 1}
                                {...(node.children ? { "aria-expanded": !closed.has(node.path) } : {})}
                                style={{ transform: `translateY(${index * ROW}px)`, paddingInlineStart: 8 + Math.min(node.depth, 12) * 18 + "px" }}
                                onClick={() => setAt(index)}>
                                <div role="gridcell" class="t-name">
                                    {node.children
                                        ? <button type="button" class="fold" tabIndex={-1} aria-label={(closed.has(node.path) ? "Open " : "Close ") + node.name}
                                            onClick={() => fold(node, !closed.has(node.path))}>
                                            <span class={closed.has(node.path) ? "turn" : "turn open"}><Icon name="right" size={14} /></span></button>
                                        : <span class="fold" />}
                                    <input type="checkbox" tabIndex={-1} checked={priority !== 0} aria-label={"Get " + node.name}
                                        ref={(input) => { if (input) input.indeterminate = priority === null && node.files.some((file) => byIndex.get(file.index)!.priority === 0); }}
                                        onClick={(event) => event.stopPropagation()} onChange={() => flip(node)} />
                                    <Icon name={node.children ? "folder" : "file"} size={16} />
                                    <bdi class="name" title={node.name}>{node.name}</bdi>
                                    {node.children && <small>{plural(node.files.length, "file")}</small>}
                                    {!node.children && onPlay && priority !== 0 && (
                                        <button type="button" class="play" tabIndex={-1} title="Play" aria-label={"Play " + node.name}
                                            onClick={() => onPlay(byIndex.get(node.files[0]!.index)!)}><Icon name="play" size={14} /></button>
                                    )}
                                </div>
                                {withDone && <div role="gridcell" class="t-done"><Bar share={share} kind={share >= 1 ? "seed" : "down"} /><span>{percent(share)}</span></div>}
                                <div role="gridcell" class="t-size">{size(node.length)}</div>
                                {!simple && (
                                    <div role="gridcell" class="t-priority">
                                        <select tabIndex={-1} aria-label={"Priority of " + node.name} value={priority === null ? "" : String(priority)}
                                            onChange={(event) => onPriority(indices(node), parseInt(event.currentTarget.value))}>
                                            {priority === null && <option value="" disabled>Mixed</option>}
                                            {PRIORITIES.map(([value, name]) => <option key={value} value={String(value)}>{name}</option>)}
                                        </select>
                                    </div>
                                )}
                            </div>
                        );
                    })}
                </div>
            </div>
            <span class="sr" role="status">{said}</span>
        </>
    );
}
