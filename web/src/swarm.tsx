// SPDX-License-Identifier: MIT
// The swarm around us: who gives, who takes, who chokes whom.
import type { Peer } from "./api";
import { percent, plural, rate } from "./format";

const SIZE = 420;
const HALF = SIZE / 2;

function place(at: number, count: number) {
    const rings = count <= 24 ? 1 : count <= 72 ? 2 : 3;
    const ring = at % rings;
    const inRing = Math.ceil((count - ring) / rings);
    const angle = 2 * Math.PI * Math.floor(at / rings) / inRing + ring * 0.4 - Math.PI / 2;
    const radius = rings === 1 ? 150 : 105 + ring * (85 / (rings - 1));
    return { x: HALF + radius * Math.cos(angle), y: HALF + radius * Math.sin(angle) };
}

function arc(x: number, y: number, radius: number, share: number) {
    const angle = 2 * Math.PI * Math.min(0.9999, share) - Math.PI / 2;
    return `M${x} ${y - radius}A${radius} ${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${x + radius * Math.cos(angle)} ${y + radius * Math.sin(angle)}`;
}

function sayState(peer: Peer) {
    const words = [];
    if (peer.rate_down > 0) words.push(`gives us ${rate(peer.rate_down)}`);
    else if (peer.am_interested) words.push(peer.peer_choking ? "chokes us" : "lets us ask");
    if (peer.rate_up > 0) words.push(`gets ${rate(peer.rate_up)}`);
    else if (peer.peer_interested) words.push(peer.am_choking ? "waits for us" : "may ask us");
    return words.join(", ") || "is idle";
}

export function SwarmView({ peers, progress }: { peers: Peer[]; progress: number }) {
    const sorted = [...peers].sort((a, b) => a.address < b.address ? -1 : 1).slice(0, 200);
    const fastest = Math.max(1, ...sorted.map((peer) => Math.max(peer.rate_down, peer.rate_up)));
    const givers = peers.filter((peer) => peer.rate_down > 0).length;
    const takers = peers.filter((peer) => peer.rate_up > 0).length;
    const choking = peers.filter((peer) => peer.am_interested && peer.peer_choking).length;
    const small = sorted.length > 40;
    const radius = small ? 6 : 11;
    const summary = `${plural(peers.length, "peer")}: ${givers} give, ${takers} take, ${choking} choke us`;
    return (
        <div class="swarm" tabIndex={0} role="region" aria-label="Swarm">
            <svg viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={summary}>
                {sorted.map((peer, at) => {
                    const { x, y } = place(at, sorted.length);
                    const kind = peer.rate_down > 0 && peer.rate_down >= peer.rate_up ? "down" : peer.rate_up > 0 ? "up" : "idle";
                    const closed = peer.peer_choking && peer.am_choking;
                    const width = kind === "idle" ? 1 : 1.2 + 4.5 * Math.sqrt(Math.max(peer.rate_down, peer.rate_up) / fastest);
                    return <line key={peer.address} class={`link ${kind}${closed ? " closed" : ""}`} x1={HALF} y1={HALF} x2={x} y2={y} stroke-width={width} />;
                })}
                {sorted.map((peer, at) => {
                    const { x, y } = place(at, sorted.length);
                    const end = x > HALF + 5 ? "start" : x < HALF - 5 ? "end" : "middle";
                    const side = end === "start" ? radius + 5 : end === "end" ? -radius - 5 : 0;
                    const below = end === "middle" ? (y > HALF ? radius + 14 : -radius - 6) : 4;
                    return (
                        <g key={peer.address} class={"node" + (peer.snubbed ? " snubbed" : "")}>
                            <title>{`${peer.client || "Unknown client"}, ${peer.address}: has ${percent(peer.progress)}, ${sayState(peer)}`}</title>
                            <circle class={peer.peer_choking && peer.am_interested ? "choking" : ""} cx={x} cy={y} r={radius} />
                            {peer.progress > 0 && <path d={arc(x, y, radius, peer.seed ? 1 : peer.progress)} />}
                            {sorted.length <= 16 && <text x={x + side} y={y + below} text-anchor={end}>{(peer.client || peer.address).slice(0, 18)}</text>}
                        </g>
                    );
                })}
                <circle class="us" cx={HALF} cy={HALF} r={28} />
                {progress > 0 && <path class="us-share" d={arc(HALF, HALF, 28, progress)} />}
                <text class="us-text" x={HALF} y={HALF + 4} text-anchor="middle">{percent(progress)}</text>
            </svg>
            <div class="swarm-words">
                <p><b>{plural(peers.length, "peer")}</b> around us.</p>
                <ul>
                    <li class="key down">{plural(givers, "gives", "give")} to us</li>
                    <li class="key up">{plural(takers, "takes", "take")} from us</li>
                    <li class="key choking">{plural(choking, "chokes", "choke")} us though we ask</li>
                    <li class="key idle">thin and dashed: both sides are closed</li>
                </ul>
                <p class="hint">A ring round a peer shows how much of the torrent it has; a thicker line is a faster one.</p>
            </div>
        </div>
    );
}
