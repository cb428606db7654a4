// SPDX-License-Identifier: MIT
// Scenarios of hostile names as files and folders, and as what trackers and peers say.
import assert from "node:assert/strict";
import { accessible, clean, DESKTOP, innocent, open, PHONE, row } from "./browser.mjs";

export function hostileScenarios(facts) {
    const scenarios = {};

    async function tab(page, name) {
        await row(page, facts.torrentName).locator(".c-name").click();
        if (page.viewportSize().width >= 500) await page.keyboard.press("Enter");
        await page.getByRole("tab", { name }).click();
    }

    async function fits(page, where) {
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), where);
    }

    // All names in the tree, of which only the rows in sight exist. Below the torrent's own folder are
    // folders, and files in them.
    async function walk(page, where) {
        const tree = page.locator(".tree");
        await tree.locator(".tree-row").nth(2).waitFor();
        const rows = Number(await tree.getAttribute("aria-rowcount"));
        assert.equal(rows, 1 + 2 * facts.count, where);
        const found = new Map();
        for (let at = 0; at < rows; at += 3) {
            await tree.evaluate((element, to) => { element.scrollTop = to; }, at * 36);
            await page.waitForFunction((number) => document.getElementById("file-" + number), at);
            await innocent(page, `${where} ${at}`);
            const some = await tree.locator(".tree-row").evaluateAll((lines) => lines.map((line) =>
                [line.id, Number(line.getAttribute("aria-level")), line.querySelector(".name").textContent]));
            for (const [id, ...what] of some) found.set(id, what);
        }
        assert.equal(found.size, rows, where);
        await fits(page, where);
        const of = (level) => [...found.values()].filter(([one]) => one === level).map(([, name]) => name);
        return { folders: of(2), files: of(3) };
    }

    scenarios.hostileFiles = async (browser) => {
        const shown = {};
        for (const [name, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
            const page = await open(browser, facts, { size });
            await tab(page, "Files");
            shown[name] = await walk(page, name);
            // What is done to them says their names too.
            await page.locator(".tree").focus();
            await page.keyboard.press("Home");
            for (let at = 0; at < 2 * facts.count; at++) {
                await page.keyboard.press("ArrowDown");
                if (at % 2 === 0) await page.keyboard.press("ArrowLeft");
                else await page.keyboard.press("ArrowRight");
                if (at % 9 === 0) await page.keyboard.press("-");
                if (at % 9 === 0) await page.locator('.files [role="status"]', { hasText: ": " }).waitFor({ state: "attached" });
            }
            await innocent(page, name + ", folded");
            await accessible(page, name + ", folded");
            await page.context().close();
        }
        const page = await open(browser, facts);
        await page.locator(".list").waitFor();
        await page.getByRole("button", { name: "Add torrents" }).click();
        await page.getByRole("dialog").locator("input[type=file]").setInputFiles({
            name: "o.torrent", mimeType: "application/x-bittorrent", buffer: Buffer.from(facts.data, "base64"),
        });
        shown.adding = await walk(page, "adding");
        return shown;
    };

    scenarios.hostileTrackers = async (browser) => {
        let shown;
        for (const size of [PHONE, DESKTOP]) {
            const page = await open(browser, facts, { size });
            await tab(page, "Trackers");
            await page.waitForFunction((count) => [...document.querySelectorAll(".says bdi")].filter((words) => words.textContent).length === count, facts.count);
            await innocent(page, "trackers " + size.width);
            shown = await page.locator(".says bdi").allTextContents();
            await fits(page, "trackers " + size.width);
            await accessible(page, "trackers " + size.width);
            await page.getByRole("tab", { name: "Overview" }).click(); // why it is slow, in their words
            await page.locator(".why > p").waitFor();
            await innocent(page, "overview " + size.width);
        }
        return { shown };
    };

    scenarios.hostilePeers = async (browser) => {
        let shown;
        for (const size of [PHONE, DESKTOP]) {
            const page = await open(browser, facts, { size });
            await tab(page, "Peers");
            await page.locator('[aria-label="Peers"] tbody tr').nth(facts.count - 1).waitFor({ state: "attached" });
            await innocent(page, "peers " + size.width);
            shown = await page.locator('[aria-label="Peers"] tbody td:first-child bdi').allTextContents();
            await fits(page, "peers " + size.width);
            await page.getByRole("tab", { name: "Swarm" }).click();
            await page.locator(".swarm .node").nth(facts.count - 1).waitFor({ state: "attached" });
            await innocent(page, "swarm " + size.width);
            await fits(page, "swarm " + size.width);
            await accessible(page, "swarm " + size.width);
            clean(page);
        }
        return { shown };
    };

    return scenarios;
}
