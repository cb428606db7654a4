// SPDX-License-Identifier: MIT
// What goes on inside the daemon: pieces between wire and disk, and whom its DHT knows, by distance
// around ourselves.
import { useState } from "preact/hooks";
import { type Dht, type DhtFamily, type DhtNode, get, words } from "./api";
import { plural } from "./format";
import { DaemonStages } from "./pipeline";
import { Dialog, usePolling } from "./ui";

const SIZE = 420;
const HALF = SIZE / 2;
const OUTER = 196;
const INNER = 40;
const STATES = ["good", "questionable", "bad"] as const;
const FAMILIES: Record<string, string> = { ipv4: "IPv4", ipv6: "IPv6" };
const BITS = 64n; // of an id that are told

// A ring for each bit that a node shares with us, near ones inside; on it the rest of its id, so that
// the nodes of a ring lie all around.
function place(node: DhtNode, depth: number) {
    const rest = BigInt("0x" + node.id) << BigInt(node.shared + 1) & (1n << BITS) - 1n;
    const angle = 2 * Math.PI * Number(rest >> BITS - 32n) / 2 ** 32 - Math.PI / 2;
    const radius = ringOf(node.shared, depth);
    return { cx: HALF + radius * Math.cos(angle), cy: HALF + radius * Math.sin(angle) };
}

const ringOf = (shared: number, depth: number) => OUTER - shared * (OUTER - INNER) / Math.max(6, depth);

function Ring({ family }: { family: DhtFamily }) {
    const { nodes } = family;
    const depth = Math.max(0, ...nodes.map((node) => node.shared));
    const counts = STATES.map((state) => nodes.filter((node) => node.state === state).length);
    const said = STATES.map((state, at) => `${counts[at]} ${state}`).join(", ");
    const name = FAMILIES[family.family] ?? family.family;
    const nearest = nodes.length ? `; the nearest shares ${plural(depth, "bit")} with us` : "";
    return (
        <section class="ring" aria-label={name}>
            <svg viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={`${name}: ${plural(nodes.length, "node")} around us, ${said}${nearest}`}>
                {Array.from({ length: depth + 1 }, (_, shared) => <circle key={shared} class="orbit" cx={HALF} cy={HALF} r={ringOf(shared, depth)} />)}
                {nodes.map((node) => (
                    <circle key={node.id} class={node.state} r={5} {...place(node, depth)}>
                        <title>{`${node.id}…: ${node.state}, shares ${plural(node.shared, "bit")} with us`}</title>
                    </circle>
                ))}
                <circle class="us" cx={HALF} cy={HALF} r={14} />
            </svg>
            <div class="ring-words">
                <h3>{name}</h3>
                <p><b>{plural(nodes.length, "node")}</b> of the DHT around us{nearest}.</p>
                <ul>
                    <li class="key good">{counts[0]} good: answered lately</li>
                    <li class="key questionable">{counts[1]} questionable: silent for a while</li>
                    <li class="key bad">{counts[2]} bad: three times no answer</li>
                </ul>
                <p class="hint">We are in the middle. The outermost ring is the far half of all ids; each further ring halves the distance.</p>
                <p class="hint">Our id: <code>{family.id}</code></p>
            </div>
        </section>
    );
}

function DhtView() {
    const [dht, setDht] = useState<Dht | null>(null);
    const [fault, setFault] = useState("");
    usePolling(async () => {
        try {
            setDht(await get<Dht>("/dht"));
            setFault("");
        } catch (error) {
            setFault(words(error));
        }
    }, 3000, []);
    if (fault) return <p class="error" role="alert">{fault}</p>;
    if (!dht) return <p class="empty">Loading…</p>;
    if (!dht.enabled) return <p class="empty">The DHT is off.</p>;
    if (dht.families.length === 0) return <p class="empty">The DHT is on, but does not run yet.</p>;
    return <>{dht.families.map((family) => <Ring key={family.family} family={family} />)}</>;
}

export function InsideDialog() {
    return <Dialog title="Inside the daemon" wide><DaemonStages /><DhtView /></Dialog>;
}
