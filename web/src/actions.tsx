// SPDX-License-Identifier: MIT
// What may be done with the selected torrents: as buttons, menu items and keys alike.
import { useState } from "preact/hooks";
import { ask, get, labelsOf, patch, type Detail } from "./api";
import { LabelsDialog, LimitsDialog, MoveDialog, RenameDialog } from "./dialogs";
import { plural } from "./format";
import { note } from "./log";
import { copied, ShareDialog } from "./share";
import { act, attempt, current, detailsOpen, refresh, rowOf, selected, targets } from "./state";
import { closeDialog, Dialog, MenuItem, openDialog } from "./ui";

export function start(force = false) { void act("start", force ? { force } : {}); }
export function stop() { void act("stop"); }

export function toggleRunning() {
    const running = targets.value.some((id) => rowOf(id)?.running);
    if (running) stop();
    else start();
}

export function removeAsked(data = false) {
    const ids = targets.value;
    if (ids.length > 0) openDialog(<RemoveDialog ids={ids} data={data} />);
}

function RemoveDialog({ ids, data }: { ids: number[]; data: boolean }) {
    const [withData, setWithData] = useState(data);
    const one = ids.length === 1 ? rowOf(ids[0]!) : undefined;
    const remove = async () => {
        closeDialog();
        if (await act("remove", { data: withData }, ids)) {
            note("info", withData ? "Removed with its files" : "Removed", one?.name ?? plural(ids.length, "torrent"));
            selected.value = new Set();
            current.value = null;
            detailsOpen.value = false;
            refresh(true);
        }
    };
    return (
        <Dialog title={one ? "Remove this torrent?" : `Remove ${plural(ids.length, "torrent")}?`} onSubmit={() => void remove()}
            actions={<>
                <button type="button" onClick={closeDialog}>Cancel</button>
                <button type="submit" class={withData ? "danger solid" : "primary"} autofocus>
                    {withData ? "Remove and delete files" : "Remove"}
                </button>
            </>}>
            {one && <p class="quote" dir="auto">{one.name}</p>}
            <label class="check">
                <input type="checkbox" checked={withData} onChange={(event) => setWithData(event.currentTarget.checked)} />
                <span>Delete the downloaded files too
                    <small>Only files that freshet made itself. This cannot be undone.</small></span>
            </label>
        </Dialog>
    );
}

export async function copyMagnet() {
    const id = targets.value[0];
    if (id === undefined) return;
    await attempt(async () => {
        const detail = await get<Detail>(`/torrents/${id}`);
        if (await copied(detail.magnet)) note("good", "Magnet link copied", detail.name);
        else openDialog(<ShareDialog name={detail.name} magnet={detail.magnet} />);
    });
}

async function withDetail(show: (detail: Detail) => void) {
    const id = targets.value[0];
    if (id === undefined) return;
    await attempt(async () => show(await get<Detail>(`/torrents/${id}`)));
}

export function share() { void withDetail((detail) => openDialog(<ShareDialog name={detail.name} magnet={detail.magnet} />)); }
export function move() { const ids = targets.value; void withDetail((detail) => openDialog(<MoveDialog ids={ids} folder={detail.folder} />)); }
export function rename() { void withDetail((detail) => openDialog(<RenameDialog id={detail.id} name={detail.name} />)); }
export function editLabels() {
    const ids = targets.value;
    if (ids.length === 0) return;
    void attempt(async () => {
        const { labels, counted } = await labelsOf(ids);
        openDialog(<LabelsDialog ids={ids} had={labels} of={counted} />);
    });
}
export function editLimits() { const ids = targets.value; void withDetail((detail) => openDialog(<LimitsDialog ids={ids} detail={detail} />)); }

const MOVES = [
    ["top", "To the top of the queue"], ["up", "Up in the queue"], ["down", "Down in the queue"], ["bottom", "To the end of the queue"],
];

export function menuItems(): (MenuItem | null)[] {
    const rows = targets.value.map(rowOf); // a row that is not known may be either
    const single = rows.length === 1;
    const items: (MenuItem | null)[] = [];
    if (rows.some((row) => !row?.running)) items.push({ label: "Start", icon: "play", run: () => start() });
    if (rows.some((row) => row?.running ?? true)) items.push({ label: "Stop", icon: "pause", run: stop });
    items.push({ label: "Start now, past the queue", run: () => start(true) });
    items.push(null);
    items.push({ label: "Labels…", icon: "tag", run: editLabels });
    items.push({ label: "Limits and goals…", icon: "gauge", run: editLimits });
    items.push({ label: "Move…", icon: "folder", run: move });
    if (single) items.push({ label: "Rename…", run: rename });
    items.push({ label: "Check the files again", icon: "recheck", run: () => void act("recheck") });
    items.push({ label: "Ask trackers now", run: () => void act("reannounce") });
    for (const [move, name] of MOVES) items.push({ label: name, run: () => void act("queue", { move }) });
    if (single) {
        items.push(null);
        items.push({ label: "Share…", icon: "share", run: share });
        items.push({ label: "Copy magnet link", run: () => void copyMagnet() });
    }
    items.push(null);
    items.push({ label: "Remove…", icon: "bin", danger: true, keys: "Del", run: () => removeAsked() });
    return items;
}

export const setAlt = (on: boolean) => attempt(() => patch("/settings", { alt_enabled: on }));
export const removeOne = (id: number) => ask("DELETE", `/torrents/${id}`);
