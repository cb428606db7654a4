// SPDX-License-Identifier: MIT
// What a person does on the page. Usage: node scenarios.mjs NAME FACTS (JSON); prints JSON.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { accessible, accessibleInBoth, clean, DESKTOP, innocent, launch, names, open, PHONE, row } from "./browser.mjs";
import { deedScenarios } from "./deeds.mjs";
import { firstScenarios } from "./first.mjs";
import { foreignScenarios } from "./foreign.mjs";
import { hostileScenarios } from "./hostile.mjs";
import { ownScenarios } from "./own.mjs";
import { playScenarios } from "./play.mjs";
import { viewScenarios } from "./views.mjs";

const scenarios = {};
const [, , name, text] = process.argv;
const facts = JSON.parse(text);
Object.assign(scenarios, deedScenarios(facts), firstScenarios(facts), foreignScenarios(facts),
  hostileScenarios(facts), ownScenarios(facts), playScenarios(facts), viewScenarios(facts));

async function ready(page) {
    await page.locator(".list").waitFor();
}

async function paste(page, words) {
    await page.evaluate((data) => {
        const transfer = new DataTransfer();
        transfer.setData("text", data);
        document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
    }, words);
}

async function details(page, name) {
    await row(page, name).dblclick();
    await page.locator(".details-title h2", { hasText: name }).waitFor();
}

scenarios.login = async (browser) => {
    const page = await open(browser, facts, { token: "", expected: [/401/] });
    await page.locator("#token").waitFor();
    await accessibleInBoth(page, "login");
    await page.fill("#token", "wrong-token");
    await page.keyboard.press("Enter");
    await page.getByText("does not take this token").waitFor();
    await page.fill("#token", facts.token);
    await page.keyboard.press("Enter");
    await ready(page);
    assert.equal(await page.evaluate(() => sessionStorage.getItem("freshet-token")), facts.token);
    assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes(sessionStorage.getItem("freshet-token"))), false);
    await page.reload();
    await ready(page);
    clean(page);

    const linked = await open(browser, facts);
    await ready(linked);
    assert.equal(new URL(linked.url()).hash, "");
    clean(linked);

    const reader = await open(browser, facts, { token: facts.readToken, expected: [/403/] });
    await ready(reader);
    await row(reader, facts.torrentName).click();
    await reader.keyboard.press("Delete");
    await reader.getByRole("button", { name: "Remove", exact: true }).last().click();
    await reader.locator(".toast.bad").waitFor();
    assert.deepEqual(await names(reader), [facts.torrentName]);
    clean(reader);
};

scenarios.magnet = async (browser) => {
    const page = await open(browser, facts);
    await page.getByText("No torrents yet.").waitFor();
    await paste(page, facts.magnet);
    const dialog = page.getByRole("dialog", { name: "Add torrents" });
    await dialog.getByText("Its files are known when a peer has told them").waitFor();
    await dialog.getByLabel("Let me choose files first").check();
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await row(page, facts.torrentName).getByText("Choose files").waitFor();
    await details(page, facts.torrentName);
    await page.getByRole("button", { name: "Choose files" }).click();
    await page.getByLabel("Get " + facts.skipped).uncheck();
    await page.locator(".tree-row.skipped", { hasText: facts.skipped }).waitFor();
    await page.locator(".files-bar").getByRole("button", { name: "Start" }).click();
    await row(page, facts.torrentName).getByText("100").waitFor();
    await page.locator(".toast.good", { hasText: "Finished" }).waitFor();
    await page.getByRole("tab", { name: "Pieces" }).click();
    await page.getByRole("img", { name: /pieces are here/ }).waitFor();
    clean(page);
};

scenarios.file = async (browser) => {
    const page = await open(browser, facts);
    await ready(page);
    await page.getByRole("button", { name: "Add torrents" }).click();
    const dialog = page.getByRole("dialog", { name: "Add torrents" });
    await dialog.locator("input[type=file]").setInputFiles(facts.torrent);
    await dialog.getByLabel("Get " + facts.skipped).waitFor();
    await dialog.locator(".room", { hasText: /wanted of .* free/ }).waitFor(); // the daemon is asked for the room
    await accessibleInBoth(page, "add");
    await dialog.getByLabel("Get " + facts.skipped).uncheck();
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await row(page, facts.torrentName).getByText("100").waitFor();
    await details(page, facts.torrentName);
    await page.getByRole("tab", { name: "Files" }).click();
    await page.locator(".tree-row.skipped", { hasText: facts.skipped }).waitFor();
    clean(page);
};

// A slow transfer is watched in every tab.
scenarios.watch = async (browser) => {
    const page = await open(browser, facts);
    await details(page, facts.torrentName);
    await page.locator(".why").getByText("Why is it not faster?").waitFor();
    assert.ok((await page.locator(".why > p").innerText()).length > 5);
    await page.locator(".plot canvas").waitFor({ state: "attached" });
    await accessibleInBoth(page, "overview");
    await page.getByRole("tab", { name: "Peers" }).click();
    await page.locator("td", { hasText: facts.peer }).first().waitFor();
    await page.locator("td", { hasText: "gives" }).first().waitFor();
    await accessibleInBoth(page, "peers");
    await page.getByRole("tab", { name: "Swarm" }).click();
    await page.locator(".swarm .link.down").first().waitFor({ state: "attached" });
    await accessibleInBoth(page, "swarm");
    await page.getByRole("tab", { name: "Trackers" }).click();
    await page.locator("td", { hasText: facts.trackerWords }).waitFor();
    await accessibleInBoth(page, "trackers");
    await page.getByRole("tab", { name: "Pieces" }).click();
    await page.getByRole("img", { name: /pieces are here/ }).waitFor();
    await accessibleInBoth(page, "pieces");
    await page.getByRole("tab", { name: "Files" }).click();
    await page.locator(".tree-row").first().waitFor();
    await accessibleInBoth(page, "files");
    await page.getByRole("tab", { name: "Overview" }).click();
    await page.getByRole("button", { name: "change" }).click();
    const dialog = page.getByRole("dialog", { name: "Limits and goals" });
    await accessibleInBoth(page, "limits");
    assert.ok(await dialog.getByLabel("Limit download", { exact: true }).isChecked());
    await dialog.getByLabel("Limit download, bytes a second").fill("nonsense");
    await dialog.getByText("For example").waitFor();
    await dialog.getByLabel("Limit download", { exact: true }).uncheck();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".fact", { hasText: "Limits" }).getByText("↓ none").waitFor();
    await row(page, facts.torrentName).getByText("100").waitFor();
    clean(page);
};

scenarios.labels = async (browser) => {
    const page = await open(browser, facts);
    await row(page, facts.names[0]).waitFor();
    assert.deepEqual(await names(page), [...facts.names].reverse());
    await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
    await page.waitForFunction((first) => document.querySelector(".rows .row .name")?.textContent === first, facts.sorted[0]);
    assert.deepEqual(await names(page), facts.sorted);
    await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
    await page.waitForFunction((last) => document.querySelector(".rows .row .name")?.textContent === last, facts.sorted.at(-1));
    assert.deepEqual(await names(page), [...facts.sorted].reverse());

    await page.keyboard.press("/");
    await page.keyboard.type("ALPHA");
    await page.waitForFunction(() => document.querySelectorAll(".rows .row").length === 2);
    assert.ok((await names(page)).every((name) => /alpha/i.test(name)));
    await page.keyboard.press("Enter");
    await page.keyboard.press("Control+a");
    await page.getByText("2 selected").waitFor();
    await page.keyboard.press("l");
    const dialog = page.getByRole("dialog", { name: /Labels/ });
    await dialog.getByLabel("New label").fill("first letters");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.fill("#search", "");
    await page.locator(".filters button", { hasText: "first letters" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".rows .row").length === 2);
    await page.locator(".filters button", { hasText: "All" }).click();
    await page.waitForFunction((count) => document.querySelectorAll(".rows .row").length === count, facts.names.length);
    await page.locator(".filters button", { hasText: "Seeding" }).click();
    await page.getByText("Nothing matches.").waitFor();
    await page.getByRole("button", { name: /Show all/ }).click();
    await page.waitForFunction((count) => document.querySelectorAll(".rows .row").length === count, facts.names.length);
    clean(page);
};

scenarios.keyboard = async (browser) => {
    const page = await open(browser, facts);
    await page.waitForFunction((count) => document.querySelectorAll(".rows .row").length === count, facts.names.length);
    const list = await names(page);
    await page.locator(".list").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const here = () => page.locator(".row.here .name").innerText();
    assert.equal(await here(), list[1]);
    assert.equal(await page.locator(".list").getAttribute("aria-activedescendant"), await page.locator(".row.here").getAttribute("id"));
    await page.keyboard.press("End");
    assert.equal(await here(), list.at(-1));
    await page.keyboard.press("Home");
    assert.equal(await here(), list[0]);
    await page.keyboard.press("Space");
    await page.getByText("1 selected").waitFor();
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByText("2 selected").waitFor();
    assert.equal(await page.locator('.row[aria-selected="true"]').count(), 2);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.locator(".details").waitFor();
    await page.getByRole("tab", { name: "Overview" }).focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.getByRole("tab", { name: "Files" }).getAttribute("aria-selected"), "true");
    await page.keyboard.press("Escape");
    await page.locator(".details").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await accessible(page, "keys");
    await page.keyboard.press("Escape");
    await page.keyboard.press("d");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await accessible(page, "dark list");
    await page.keyboard.press("d");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
    await page.locator(".list").focus();
    await page.keyboard.press("Home");
    const first = await here();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog", { name: "Remove this torrent?" }).waitFor();
    await accessible(page, "remove");
    await page.keyboard.press("Escape");
    assert.equal(await here(), first);
    await page.keyboard.press("Delete");
    await page.keyboard.press("Enter");
    await page.waitForFunction((count) => document.querySelectorAll(".rows .row").length === count, facts.names.length - 1);
    assert.ok(!(await names(page)).includes(first));
    clean(page);
    return { removed: first };
};

scenarios.remove = async (browser) => {
    const page = await open(browser, facts);
    await row(page, facts.kept).click();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await row(page, facts.kept).waitFor({ state: "detached" });
    await row(page, facts.deleted).click();
    await page.keyboard.press("Delete");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(facts.deleted).waitFor();
    await dialog.getByRole("checkbox").check();
    await dialog.getByRole("button", { name: "Remove and delete files" }).click();
    await row(page, facts.deleted).waitFor({ state: "detached" });
    await page.getByText("No torrents yet.").waitFor();
    clean(page);
};

scenarios.settings = async (browser) => {
    const page = await open(browser, facts);
    await ready(page);
    await page.getByRole("button", { name: "Settings" }).click();
    const dialog = page.getByRole("dialog", { name: "Settings" });
    await accessibleInBoth(page, "settings");
    await dialog.getByLabel("Limit upload", { exact: true }).check();
    await dialog.getByLabel("Limit upload, bytes a second").fill("2.5 M");
    for (const group of ["Downloads", "Queue", "Seeding", "Network"]) {
        await dialog.getByRole("tab", { name: group }).click();
        await accessibleInBoth(page, group);
    }
    await dialog.getByRole("tab", { name: "Queue" }).click();
    await dialog.getByLabel("Downloads at once", { exact: true }).fill("3");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Slow down" }).click();
    await page.locator('.top [aria-label="Slow down"][aria-pressed="true"]').waitFor();
    await page.getByRole("button", { name: "Log", exact: true }).click();
    await page.getByRole("dialog", { name: "Log" }).waitFor();
    clean(page);
};

// Nothing that a name says happens, and no name becomes an element.
scenarios.hostile = async (browser) => {
    const page = await open(browser, facts);
    await page.waitForFunction((count) => document.querySelectorAll(".rows .row").length >= Math.min(count, 20), facts.count);
    await innocent(page, "list");
    const shown = new Set();
    const list = page.locator(".list");
    for (let top = 0; top <= facts.count * 38; top += 380) {
        await list.evaluate((element, to) => { element.scrollTop = to; }, top);
        await page.waitForFunction(() => !document.querySelector(".ghost"));
        await page.waitForTimeout(120);
        for (const name of await names(page)) shown.add(name);
    }
    await innocent(page, "scrolled list");
    for (const number of facts.looked) {
        await page.fill("#search", "");
        await page.locator(".list").focus();
        await page.keyboard.press("Home");
        for (let step = 0; step < number; step++) await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await page.locator(".details").waitFor();
        for (const tab of ["Overview", "Files", "Peers", "Trackers", "Pieces", "Swarm"]) {
            await page.getByRole("tab", { name: tab }).click();
            await page.waitForTimeout(250);
            await innocent(page, `${number} ${tab}`);
        }
        await page.getByRole("button", { name: "Share" }).click();
        await page.getByRole("dialog", { name: "Share" }).waitFor();
        await innocent(page, `${number} share`);
        await page.keyboard.press("Escape");
        await page.locator(".list").focus();
        await page.keyboard.press("Delete");
        await page.getByRole("dialog").waitFor();
        await innocent(page, `${number} remove`);
        await page.keyboard.press("Escape");
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, "a long name makes the page wider");
    await accessible(page, "hostile names");
    return { shown: [...shown] };
};

// The dialogs that change a torrent, and the one that adds it: with its names in their fields and trees.
scenarios.hostileDialogs = async (browser) => {
    const page = await open(browser, facts, { expected: [/422/] });
    await page.waitForFunction((count) => document.querySelectorAll(".rows .row").length >= Math.min(count, 20), facts.count);
    const dialog = page.getByRole("dialog");
    const look = async (name, where) => {
        await page.getByRole("dialog", { name, exact: true }).waitFor();
        await innocent(page, where + " " + name);
    };
    const leave = async () => {
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await page.locator(".list").focus();
    };
    for (const number of facts.looked) {
        await page.locator(".list").focus();
        await page.keyboard.press("Home");
        for (let step = 0; step < number; step++) await page.keyboard.press("ArrowDown");
        const here = page.locator(".row.here");
        const name = await here.locator(".name").textContent();
        const where = `${number} ${JSON.stringify(name)}`;

        await page.keyboard.press("l");
        await look("Labels", where);
        assert.ok(await dialog.locator(".chip.on").count() > 0, where);
        assert.ok(await dialog.getByRole("group", { name: "Labels in use" }).locator("button").count() > 0, where);
        await dialog.getByLabel("New label").fill(facts.words);
        await page.keyboard.press("Enter");
        await dialog.locator(".chip.on", { hasText: facts.words }).waitFor();
        await innocent(page, where + " new label");
        await leave();

        await page.keyboard.press("s");
        await look("Limits and goals", where);
        assert.equal(await dialog.locator(".quote").textContent(), name);
        await leave();

        for (const [item, title] of [["Move…", "Move"], ["Rename…", "Rename"]]) {
            await here.locator(".name").click({ button: "right" });
            await page.getByRole("menuitem", { name: item, exact: true }).click();
            await look(title, where);
            if (title === "Rename") assert.equal(await dialog.getByLabel("Name").inputValue(), name);
            await leave();
        }
    }
    // What is in files that are to be added; their own names are as bad.
    const pick = async (files) => {
        await page.getByRole("button", { name: "Add torrents" }).click();
        await dialog.locator("input[type=file]").setInputFiles(files.map(({ name, data }) =>
            ({ name, mimeType: "application/x-bittorrent", buffer: Buffer.from(data, "base64") })));
    };
    for (const file of facts.files) {
        const where = "adding " + JSON.stringify(file.name);
        await pick([file]);
        await dialog.locator(".tree-row").nth(2).waitFor();
        await look("Add torrents", where);
        await dialog.locator(".tree-row").first().getByRole("checkbox").uncheck();
        await innocent(page, where + ", nothing wanted");
        await leave();
    }
    await pick(facts.files);
    await dialog.getByRole("button", { name: `Add ${facts.files.length}` }).waitFor();
    await look("Add torrents", "all of them");
    await dialog.getByRole("button", { name: `Add ${facts.files.length}` }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".toast").first().waitFor();
    await innocent(page, "added");
    // No torrent, by a name that is none either.
    await pick([{ name: facts.words, data: "bm90aGluZw==" }]);
    await dialog.locator(".error").first().waitFor();
    await look("Add torrents", "no torrent");
};

// What a hostile peer and tracker say shows up as text, and runs no more than a name does.
scenarios.hostileWords = async (browser) => {
    const page = await open(browser, facts);
    await details(page, facts.torrentName);
    await page.getByRole("tab", { name: "Peers" }).click();
    await page.locator("td", { hasText: facts.client }).waitFor();
    await page.getByRole("tab", { name: "Swarm" }).click();
    await page.locator(".swarm .node").first().waitFor();
    await page.getByRole("tab", { name: "Trackers" }).click();
    await page.locator("td", { hasText: facts.words }).waitFor();
    await page.getByRole("tab", { name: "Overview" }).click();
    await page.waitForTimeout(500);
    assert.equal(await page.evaluate(() => window.ran ?? null), null);
    assert.equal(await page.locator("#page img, #page script, #page iframe").count(), 0);
    const marks = await page.evaluate(() => /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText));
    assert.equal(marks, false);
    clean(page);
};

// Only what is in sight is asked for and drawn.
scenarios.many = async (browser) => {
    const page = await open(browser, facts);
    const asked = [];
    page.on("request", (request) => { if (/\/api\/v1\/(torrents|delta|events)\?/.test(request.url())) asked.push(new URL(request.url())); });
    await page.waitForFunction(() => document.querySelectorAll(".rows .row .name").length > 10);
    const rows = [];
    const list = page.locator(".list");
    const height = await list.evaluate((element) => element.scrollHeight);
    assert.ok(height >= facts.count * 38);
    for (const share of [0.2, 0.5, 0.8, 1, 0]) {
        await list.evaluate((element, to) => { element.scrollTop = element.scrollHeight * to; }, share);
        await page.waitForFunction(() => document.querySelectorAll(".rows .row").length > 5 && !document.querySelector(".ghost"));
        rows.push(await page.locator(".rows .row").count());
    }
    assert.ok(rows.every((count) => count < 60), String(rows));
    // Lines are used again, stand in their order, and each shows the torrent that belongs there. Six
    // are drawn above what is in sight.
    const answer = await fetch(`${facts.url}/api/v1/torrents?sort=added&order=desc&limit=1000`, { headers: { Authorization: "Bearer " + facts.token } });
    const { rows: all } = await answer.json();
    await page.evaluate(() => { window.lines = [...document.querySelectorAll(".rows .row")]; });
    for (const top of [38, 500, 4000, 3900, 9000, 8000, 100, 0]) {
        await list.evaluate((element, to) => { element.scrollTop = to; }, top);
        await page.waitForFunction((first) => !document.querySelector(".ghost") && [...document.querySelectorAll(".rows .row")].some((line) => Number(line.dataset.index) === first), Math.max(0, Math.floor(top / 38) - 6));
        // In one turn of the page: between finding lines and reading them it may use them again.
        const lines = await page.evaluate(() => [...document.querySelectorAll(".rows .row")].map((line) => [Number(line.dataset.index), Number(line.dataset.id), line.querySelector(".name").textContent, line.style.transform]));
        lines.forEach(([index, id, name, place], at) => {
            assert.equal(index, lines[0][0] + at, "at " + top);
            assert.deepEqual([id, name, place], [all[index].id, all[index].name, `translateY(${index * 38}px)`], "at " + top);
        });
    }
    assert.ok(await page.evaluate(() => window.lines.filter((line) => line.isConnected).length) >= 15);
    assert.ok(asked.every((url) => Number(url.searchParams.get("limit")) <= 300), asked.join("\n"));
    await page.locator(".list").focus();
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.querySelector(".row.here"));
    await page.keyboard.press("Control+a");
    await page.getByText(`${facts.count} selected`).waitFor();
    clean(page);
};

// A bar for each file, below its line and as long as the share that stands there.
async function bars(page, where) {
    await page.waitForFunction(() => !document.getAnimations().some((one) => one instanceof CSSTransition));
    const found = await page.locator(".tree-row").evaluateAll((rows) => rows.map((row) => {
        const [line, bar, fill, name] = [row, ...[".bar", ".bar-fill", ".name"].map((part) => row.querySelector(part))].map((part) => part.getBoundingClientRect());
        return { name: row.querySelector(".name").textContent, share: parseFloat(row.querySelector(".t-done span").textContent), drawn: fill.width / bar.width * 100,
            stands: bar.width > 300 && bar.height >= 3 && bar.top >= name.bottom && bar.bottom <= line.bottom };
    }));
    assert.equal(found.length, 5, where);
    for (const { name, share, drawn, stands } of found) {
        assert.ok(stands && Math.abs(share - drawn) <= 1, `${where} ${name}: ${share} ${drawn} ${stands}`);
    }
    assert.deepEqual(found.filter(({ share }) => share < 100).map(({ name }) => name), facts.partly, where);
}

scenarios.phone = async (browser) => {
    for (const scheme of ["light", "dark"]) {
        const page = await open(browser, facts, { size: PHONE, scheme });
        await page.waitForFunction(() => document.querySelectorAll(".rows .row .name").length > 0);
        await accessible(page, "phone list " + scheme);
        await row(page, facts.torrentName).locator(".c-name").tap();
        await page.getByRole("button", { name: "Back to the list" }).waitFor();
        await accessible(page, "phone details " + scheme);
        for (const tab of ["Files", "Peers", "Trackers", "Pieces", "Swarm"]) {
            await page.getByRole("tab", { name: tab }).tap();
            await page.waitForTimeout(300);
            await accessible(page, `phone ${tab} ${scheme}`);
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), tab);
            if (tab === "Files") await bars(page, scheme);
        }
        await page.getByRole("button", { name: "Back to the list" }).tap();
        await page.getByRole("button", { name: "Add torrents" }).tap();
        await page.getByRole("dialog", { name: "Add torrents" }).waitFor();
        await accessible(page, "phone add " + scheme);
        clean(page);
    }
};

scenarios.lost = async (browser) => {
    const page = await open(browser, facts, { expected: [/Failed to load resource|ERR_/] });
    await ready(page);
    await row(page, facts.torrentName).waitFor();
    writeFileSync(facts.folder + "/open", "");
    await page.locator(".offline").waitFor();
    await accessible(page, "offline");
    writeFileSync(facts.folder + "/offline", "");
    await page.locator(".offline").waitFor({ state: "detached" });
    await row(page, facts.torrentName).waitFor();
    clean(page);
};

scenarios.pictures = async (browser) => {
    for (const scheme of ["light", "dark"]) {
        for (const size of [DESKTOP, PHONE]) {
            const page = await open(browser, facts, { size, scheme });
            const shoot = (what) => page.screenshot({ path: `${facts.pictures}/page-${what}-${size.width}x${size.height}-${scheme}.png` });
            await page.waitForFunction((count) => document.querySelectorAll(".rows .row .name").length >= Math.min(count, 8), facts.count);
            await page.waitForTimeout(1500);
            await shoot("list");
            if (size === PHONE) await row(page, facts.torrentName).locator(".c-name").tap();
            else await details(page, facts.torrentName);
            await page.waitForTimeout(size === PHONE ? 4000 : 9000);
            await shoot("details");
            for (const tab of ["Files", "Peers", "Trackers", "Pieces", "Swarm"]) {
                await page.getByRole("tab", { name: tab }).click();
                await page.waitForTimeout(1800);
                await shoot(tab.toLowerCase());
            }
            clean(page);
            await page.context().close();
        }
    }
};

const browser = await launch();
try {
    console.log(JSON.stringify((await scenarios[name](browser)) ?? null));
} catch (error) {
    // What it looked like when it went wrong, beside the test's other files.
    for (const context of browser.contexts()) {
        for (const page of context.pages()) {
            console.error(page.faults, await page.locator("body").innerText().catch(() => ""));
            await page.screenshot({ path: `${facts.folder}/fault.png` }).catch(() => undefined);
        }
    }
    throw error;
} finally {
    await browser.close();
}
