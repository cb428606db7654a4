// SPDX-License-Identifier: MIT
// Pieces between the wire and the disk: what is hashed, checked and written now.
import { useState } from "preact/hooks";
import { get, type Load, type Pipeline, type TorrentPipeline } from "./api";
import { percent, plural, rate, size } from "./format";
import { Bar, usePolling } from "./ui";

type Stage = [count: number, name: string, more?: string];

// Stages from left to right; one in which something is, is lit.
function Stages({ label, stages }: { label: string; stages: Stage[] }) {
    return (
        <ol class="stages" aria-label={label}>
            {stages.map(([count, name, more]) => (
                <li key={name} class={count > 0 ? "busy" : ""}><b>{count.toLocaleString("en")}</b> <span>{name}</span>{more && <small> {more}</small>}</li>
            ))}
        </ol>
    );
}

export function TorrentStages({ id }: { id: number }) {
    const [now, setNow] = useState<TorrentPipeline | null>(null);
    usePolling(async () => setNow(await get<TorrentPipeline>(`/torrents/${id}/pipeline`)), 1000, [id]);
    if (!now) return null;
    const share = now.total ? now.checked / now.total : 0;
    return (
        <>
            <Stages label="Pieces from the wire to the disk" stages={[
                [now.fetching, "on their way"], [now.hashing, "being hashed"], [now.waiting, "waiting to be written"], [now.writing, "being written"],
                [now.verified, "verified"], [now.durable, "safe from a power cut"],
            ]} />
            {(now.checking > 0 || now.checked > 0) && (
                <p class="checking">
                    <Bar share={share} kind="wait" label="Checked" />
                    <span>Checking what is on the disk: {plural(now.checking, "piece")} being hashed{now.checked > 0 && <>, {size(now.checked)} of {size(now.total)} done ({percent(share)})</>}</span>
                </p>
            )}
        </>
    );
}

const speed = (load: Load) => `${rate(load.rate)}, ${size(load.bytes)} in this run`;

export function DaemonStages() {
    const [now, setNow] = useState<Pipeline | null>(null);
    usePolling(async () => setNow(await get<Pipeline>("/pipeline")), 1000, []);
    if (!now) return null;
    const { hashing, writing } = now;
    return (
        <section>
            <h3>From the wire to the disk</h3>
            <Stages label="Pieces of all torrents" stages={[
                [hashing.waiting, "waiting to be hashed"], [hashing.running, "being hashed", `by at most ${plural(hashing.threads, "thread")}`],
                [writing.waiting, "waiting to be written"], [writing.running, "being written", `by at most ${plural(writing.threads, "thread")}`],
            ]} />
            <p class="hint">Hashed: {speed(hashing)}. Written: {speed(writing)}. What is checked on the disk is hashed here too.</p>
        </section>
    );
}
