// SPDX-License-Identifier: MIT
// @ctrl/transmission, which many programs are built on, drives a daemon that really transfers.
// Facts come as JSON on the standard input; the last line printed is "all is well".
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { Transmission } from "../../web/node_modules/@ctrl/transmission/dist/src/index.js";

const { url, token, torrent, folder } = JSON.parse(readFileSync(0, "utf8"));
const client = new Transmission({ baseUrl: url, username: "anyone", password: token, timeout: 30000 });
const MOVED = `${folder}/moved`;
const SEEDING = 6;

async function until(condition, what) {
    for (let tries = 0; tries < 1200; tries++) {
        if (await condition()) return;
        await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    assert.fail(what);
}

async function raw(id = 1, ...fields) {
    const answer = await client.listTorrents(id, fields);
    assert.equal(answer.result, "success");
    return answer.arguments.torrents[0];
}

// For what the library has no method.
async function ask(method, args) {
    const answer = (await client.request(method, args))._data;
    assert.equal(answer.result, "success", JSON.stringify(answer));
    return answer.arguments;
}

function well(answer) {
    assert.equal(answer.result, "success", JSON.stringify(answer));
    return answer.arguments;
}

async function settled() {
    const row = await raw();
    return row.percentDone === 1 && row.status === SEEDING;
}

// Session.
const session = well(await client.getSession());
assert.match(session.version, /\d+\.\d+/);
assert.equal(session["download-dir"], folder);
well(await client.setSession({ "speed-limit-up": 321, "speed-limit-up-enabled": true, "alt-speed-down": 40 }));
const changed = well(await client.getSession());
assert.deepEqual([changed["speed-limit-up"], changed["speed-limit-up-enabled"], changed["alt-speed-down"]], [321, true, 40]);

// Add, list; the library's own view of a torrent.
const added = well(await client.addTorrent(readFileSync(torrent), { "download-dir": folder }));
const fresh = added["torrent-added"];
assert.deepEqual([fresh.id, fresh.name], [1, "album"]);
assert.match(fresh.hashString, /^[0-9a-f]{40}$/);
const again = well(await client.addTorrent(readFileSync(torrent), { "download-dir": folder }));
assert.equal(again["torrent-duplicate"].hashString, fresh.hashString);
await until(settled, "the transfer does not finish");
const seen = await client.getTorrent(fresh.hashString);
assert.deepEqual([seen.name, seen.isCompleted, seen.progress, seen.state, seen.totalSize, seen.savePath],
    ["album", true, 1, "seeding", 1_800_000, folder]);
const all = await client.getAllData();
assert.deepEqual(all.torrents.map((row) => row.id), [fresh.hashString]);

// Files.
const { files, fileStats } = await raw();
assert.deepEqual(files.map((file) => [file.name, file.length, file.bytesCompleted]),
    [1, 2, 3].map((number) => [`album/${number}.flac`, number * 300_000, number * 300_000]));
assert.deepEqual(fileStats.map((file) => [file.wanted, file.priority]), [[true, 0], [true, 0], [true, 0]]);

// Set: limits, priorities, a label.
well(await client.setTorrent(1, {
    uploadLimit: 55, uploadLimited: true, downloadLimit: 66, downloadLimited: true, seedRatioMode: 1,
    seedRatioLimit: 3, "priority-high": [0], labels: ["music"],
}));
const set = await raw(1, "uploadLimit", "uploadLimited");
assert.deepEqual([set.uploadLimit, set.uploadLimited, set.downloadLimit, set.downloadLimited], [55, true, 66, true]);
assert.deepEqual([set.seedRatioMode, set.seedRatioLimit, set.labels], [1, 3, ["music"]]);
assert.deepEqual(set.fileStats.map((file) => file.priority), [1, 0, 0]);
assert.equal((await client.getTorrent(1)).label, "music");
assert.deepEqual((await client.getAllData()).labels, [{ id: "music", name: "music", count: 1 }]);

// Move, verify, rename.
well(await client.moveTorrent(1, MOVED));
await until(async () => (await raw()).downloadDir === MOVED && await settled(), "it is not moved");
assert.ok(existsSync(`${MOVED}/album/3.flac`) && !existsSync(`${folder}/album/3.flac`));
well(await client.verifyTorrent(1));
await until(settled, "the check does not end");
assert.equal((await raw()).haveValid, 1_800_000);
well(await client.renamePath(1, { path: "album", name: "record" }));
await until(async () => (await raw()).name === "record" && await settled(), "it has no new name");
assert.ok(existsSync(`${MOVED}/record/1.flac`));

// Stop, start, announce.
well(await client.pauseTorrent(1));
await until(async () => (await raw()).status === 0, "it runs on");
well(await client.resumeTorrent(1));
await until(settled, "it does not start");
well(await client.reannounceTorrent(1));

// The queue, with a second one: a link that nobody answers.
const link = well(await client.addMagnet("magnet:?xt=urn:btih:" + "17".repeat(20) + "&dn=second", { "download-dir": folder, paused: true }));
assert.equal(link["torrent-added"].id, 2);
const order = async () => {
    const rows = well(await client.listTorrents()).torrents;
    return rows.sort((one, other) => one.queuePosition - other.queuePosition).map((row) => row.id);
};
assert.deepEqual(await order(), [1, 2]);
for (const [move, id, wanted] of [["queueTop", 2, [2, 1]], ["queueDown", 2, [1, 2]], ["queueUp", 2, [2, 1]], ["queueBottom", 2, [1, 2]]]) {
    well(await client[move]([id]));
    assert.deepEqual(await order(), wanted, move);
}

// Free space, statistics.
const space = well(await client.freeSpace(folder));
assert.ok(space["size-bytes"] > 0);
assert.equal(space.path, folder);
const stats = await ask("session-stats", {});
assert.equal(stats.torrentCount, 2);
// The sums are counted once a second, and miss nothing that came before the moves.
await until(async () => (await ask("session-stats", {}))["current-stats"].downloadedBytes >= 1_800_000, "bytes are not counted");

// Remove: the link alone, then the torrent with its data.
well(await client.removeTorrent(2));
well(await client.removeTorrent(fresh.hashString, true));
await until(async () => well(await client.listTorrents()).torrents.length === 0, "it stays");
await until(() => !existsSync(`${MOVED}/record`), "its data stay");
console.log("all is well");
