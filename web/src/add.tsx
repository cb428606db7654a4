// SPDX-License-Identifier: MIT
// Adding: files are dropped, pasted or picked, links pasted or typed; what is in them shows before.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post, type Inspection, type Row, type Settings } from "./api";
import { useSpace } from "./dialogs";
import { plural, size } from "./format";
import { Icon } from "./icons";
import { note } from "./log";
import { attempt, current, labels, refresh } from "./state";
import { FileTree, type TreeFile } from "./tree";
import { closeDialog, Dialog, Field, IconButton, openDialog, Switch } from "./ui";

interface Source { key: number; body: { torrent: string } | { magnet: string } | { url: string }; title: string; found: Inspection | null; fault: string }

let keys = 0;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32})$/i;

export function linksOf(text: string): Source[] {
    return text.split(/\s+/).flatMap((word): Source[] => {
        if (/^magnet:/i.test(word) || HASH.test(word)) return [{ key: ++keys, body: { magnet: word }, title: word, found: null, fault: "" }];
        if (/^https?:\/\//i.test(word)) return [{ key: ++keys, body: { url: word }, title: word, found: null, fault: "" }];
        return [];
    });
}

async function base64(file: File) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
}

export async function openFiles(files: Iterable<File>) {
    const sources: Source[] = [];
    for (const file of files) {
        sources.push({ key: ++keys, body: { torrent: await base64(file) }, title: file.name, found: null, fault: "" });
    }
    if (sources.length) openAdd(sources);
}

export function openAdd(sources: Source[] = []) {
    openDialog(<AddDialog key={++keys} first={sources} />);
}

function AddDialog({ first }: { first: Source[] }) {
    const [sources, setSources] = useState(first);
    const [text, setText] = useState("");
    const [folder, setFolder] = useState("");
    const [start, setStart] = useState(true);
    const [choose, setChoose] = useState(false);
    const [sequential, setSequential] = useState(false);
    const [chosen, setChosen] = useState<string[]>([]);
    const [unwanted, setUnwanted] = useState<ReadonlySet<number>>(new Set());
    const [busy, setBusy] = useState(false);
    const picker = useRef<HTMLInputElement>(null);
    const space = useSpace(folder);
    useEffect(() => {
        get<Settings>("/settings").then((settings) => {
            setFolder((now) => now || settings.download_folder);
            setStart(settings.start_added);
        }, () => undefined);
    }, []);
    useEffect(() => {
        for (const source of sources) {
            if (source.found || source.fault) continue;
            post<Inspection>("/inspect", source.body).then(
                (found) => setSources((all) => all.map((one) => one.key === source.key ? { ...one, found } : one)),
                (error: Error) => setSources((all) => all.map((one) => one.key === source.key ? { ...one, fault: error.message } : one)));
        }
    }, [sources.map((source) => source.key).join()]);
    const typed = linksOf(text);
    const takeText = () => {
        if (typed.length) setSources([...sources, ...typed]);
        setText("");
    };
    const takeFiles = async (files: FileList | null) => {
        for (const file of files ?? []) {
            const body = { torrent: await base64(file) };
            setSources((all) => [...all, { key: ++keys, body, title: file.name, found: null, fault: "" }]);
        }
    };
    const good = sources.filter((source) => source.found && source.found.exists === null);
    const single = sources.length === 1 ? sources[0]!.found : null;
    const files: TreeFile[] = (single?.files ?? []).map((file, index) => ({ ...file, index, priority: unwanted.has(index) ? 0 : 4 }));
    const wanted = files.length
        ? files.reduce((sum, file) => sum + (file.priority ? file.length : 0), 0)
        : good.reduce((sum, source) => sum + source.found!.size, 0);
    const tight = space !== null && wanted > space.free;
    const magnets = good.some((source) => source.found!.files.length === 0);
    const setPriority = (indices: number[], priority: number) => {
        const next = new Set(unwanted);
        for (const index of indices) {
            if (priority === 0) next.add(index);
            else next.delete(index);
        }
        setUnwanted(next);
    };
    const add = async () => {
        if (typed.length) { takeText(); return; }
        if (good.length === 0 || busy) return;
        setBusy(true);
        let last: Row | null = null;
        for (const source of good) {
            await attempt(async () => {
                const answer = await post<{ added: boolean; torrent: Row }>("/torrents", {
                    ...source.body, folder: folder.trim(), stopped: !start, labels: chosen,
                    choose_files: choose && source.found!.files.length === 0,
                    unwanted: single ? [...unwanted] : [],
                    wishes: { sequential },
                });
                last = answer.torrent;
                note("good", answer.added ? "Added" : "Was there already", answer.torrent.name);
            });
        }
        setBusy(false);
        if (last) {
            current.value = (last as Row).id;
            refresh(true);
            closeDialog();
        }
    };
    return (
        <Dialog title="Add torrents" wide onSubmit={() => void add()}
            actions={<>
                <span class={"room" + (tight ? " error" : "")} aria-live="polite">
                    {wanted > 0 && <>{size(wanted)} wanted{space && <> of {size(space.free)} free</>}{tight && ": that does not fit"}</>}
                </span>
                <button type="button" onClick={closeDialog}>Cancel</button>
                <button type="submit" class="primary" disabled={busy || (good.length === 0 && typed.length === 0)}>
                    {typed.length ? "Next" : good.length > 1 ? `Add ${good.length}` : "Add"}
                </button>
            </>}>
            {sources.length === 0 || text !== "" ? (
                <div class="sources">
                    <button type="button" class="drop" onClick={() => picker.current!.click()}>
                        <Icon name="file" size={28} /><span>Choose .torrent files<small>or drop them anywhere on the page</small></span>
                    </button>
                    <Field label="Magnet links, info-hashes or addresses" hint="Several are parted by spaces or lines">
                        {(id) => <textarea id={id} rows={3} autofocus spellcheck={false} value={text}
                            onInput={(event) => setText(event.currentTarget.value)}
                            onPaste={(event) => {
                                const links = linksOf(event.clipboardData?.getData("text") ?? "");
                                if (links.length === 0) return;
                                event.preventDefault();
                                event.stopPropagation();
                                setSources([...sources, ...links]);
                                setText("");
                            }} />}
                    </Field>
                </div>
            ) : (
                <ul class="found">
                    {sources.map((source) => (
                        <li key={source.key}>
                            <Icon name={source.fault ? "warn" : source.found?.files.length ? "file" : "share"} />
                            <span class="found-text">
                                <bdi class="name">{source.found?.name || source.title}</bdi>
                                <small class={source.fault ? "error" : ""}>{source.fault || (source.found === null ? "Looking…"
                                    : source.found.exists !== null ? "Is in the list already"
                                        : source.found.files.length === 0 ? "Its files are known when a peer has told them"
                                            : `${size(source.found.size)}, ${plural(source.found.files.filter((file) => !("padding" in file && file.padding)).length, "file")}${source.found.private ? ", private" : ""}`)}</small>
                            </span>
                            <IconButton icon="close" label={"Leave out " + (source.found?.name || source.title)}
                                onClick={() => { setSources(sources.filter((one) => one !== source)); setUnwanted(new Set()); }} />
                        </li>
                    ))}
                </ul>
            )}
            <input ref={picker} type="file" accept=".torrent,application/x-bittorrent" multiple hidden aria-label="Torrent files"
                onChange={(event) => void takeFiles(event.currentTarget.files)} />
            {single && files.length > 0 && <div class="add-tree"><FileTree files={files} simple onPriority={setPriority} /></div>}
            {sources.length > 0 && (
                <>
                    <Field label="Folder on the daemon's machine" hint={space ? `${size(space.free)} free of ${size(space.total)}` : "\u00a0"}>
                        {(id) => <input id={id} value={folder} spellcheck={false} onInput={(event) => setFolder(event.currentTarget.value)} />}
                    </Field>
                    {labels.value.length > 0 && (
                        <div class="chips" role="group" aria-label="Labels">
                            {labels.value.slice(0, 20).map(({ name }) => (
                                <button type="button" key={name} class={chosen.includes(name) ? "chip on" : "chip"} aria-pressed={chosen.includes(name)}
                                    onClick={() => setChosen(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name])}><bdi>{name}</bdi></button>
                            ))}
                        </div>
                    )}
                    <Switch label="Start at once" checked={start} onChange={setStart} />
                    {magnets && <Switch label="Let me choose files first" hint="It stops when it knows them" checked={choose} onChange={setChoose} />}
                    <Switch label="In order, from the first piece" checked={sequential} onChange={setSequential} />
                </>
            )}
        </Dialog>
    );
}
