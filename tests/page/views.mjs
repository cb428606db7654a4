// SPDX-License-Identifier: MIT
// Scenarios of the pictures of what goes on inside.
import assert from "node:assert/strict";
import { accessibleInBoth, clean, open, PHONE, row } from "./browser.mjs";

export function viewScenarios(facts) {
    const scenarios = {};

    // Pieces name the peers that they are asked of.
    scenarios.fetching = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).dblclick();
        await page.getByRole("tab", { name: "Pieces" }).click();
        const map = page.getByRole("img", { name: /pieces are here, \d+ on their way/ });
        await map.waitFor();
        const table = page.getByRole("table", { name: "Pieces on their way" });
        for (const peer of facts.peers) await table.getByText(new RegExp(`at ${peer} \\(.*\\d (asked|came)`)).first().waitFor();
        assert.match(await table.locator("tbody tr").first().innerText(), /\d+ of \d+\sblocks? came, \d+ asked|being checked/);
        await accessibleInBoth(page, "pieces on their way");
        // The same under the pointer.
        const number = Number(await table.locator("tbody td").first().innerText());
        const at = await page.evaluate((piece) => {
            const canvas = document.querySelector(".pieces canvas");
            const step = 20, across = Math.floor((canvas.getBoundingClientRect().width + 2) / step);
            return { x: piece % across * step + 9, y: Math.floor(piece / across) * step + 9 };
        }, number);
        await page.locator(".pieces canvas").hover({ position: at });
        await page.locator(".pieces > .hint", { hasText: new RegExp(`Piece ${number}: .*`) }).waitFor();
        clean(page);
    };

    async function inside(page) {
        await page.locator(".list").waitFor();
        await page.getByRole("button", { name: "Inside the daemon" }).click();
        return page.getByRole("dialog", { name: "Inside the daemon" });
    }

    // Whom the DHT knows, seen by who may only read; ids and no addresses.
    scenarios.ring = async (browser) => {
        const page = await open(browser, facts);
        const dialog = await inside(page);
        const ring = dialog.getByRole("img", { name: /^IPv4: 2 nodes around us, 2 good, 0 questionable, 0 bad; the nearest shares \d+ bits? with us$/ });
        await ring.waitFor();
        assert.equal(await ring.locator("circle.good").count(), 2);
        for (const id of facts.ids) await ring.locator("title", { hasText: id.slice(0, 16) }).waitFor({ state: "attached" });
        await dialog.getByText("2 good: answered lately").waitFor();
        const text = await dialog.evaluate((element) => element.outerHTML);
        for (const address of facts.addresses) assert.ok(!text.includes(address), address);
        await accessibleInBoth(page, "the DHT's ring");
        clean(page);
        await page.context().close();

        const phone = await open(browser, facts, { size: PHONE });
        await phone.locator(".list").waitFor();
        await phone.getByRole("button", { name: "Menu" }).click();
        await phone.getByRole("menuitem", { name: "Inside the daemon" }).click();
        await phone.getByRole("img", { name: /^IPv4: 2 nodes/ }).waitFor();
        const wide = await phone.locator(".dialog-body").evaluate((body) => body.scrollWidth - body.clientWidth);
        assert.ok(wide <= 0, `${wide} pixels too wide`);
        clean(phone);
    };

    // Pieces pass from the wire to the disk, and are checked there again.
    scenarios.pipeline = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).dblclick();
        await page.getByRole("tab", { name: "Pieces" }).click();
        const stages = page.getByRole("list", { name: "Pieces from the wire to the disk" });
        const stage = (name) => stages.getByRole("listitem").filter({ hasText: name });
        await stage("on their way").and(page.locator(".busy")).waitFor();
        await stage("verified").and(page.locator(".busy")).waitFor();
        assert.deepEqual((await stages.locator("span").allTextContents()), ["on their way", "being hashed",
            "waiting to be written", "being written", "verified", "safe from a power cut"]);
        await accessibleInBoth(page, "pipeline of a torrent");
        const dialog = await inside(page);
        const all = dialog.getByRole("list", { name: "Pieces of all torrents" });
        await all.getByText("by at most").first().waitFor();
        await dialog.getByText(/Hashed: .*, [\d.]+.[KM]iB in this run/).waitFor();
        await accessibleInBoth(page, "pipeline of all");
        clean(page);
        return { hashed: await dialog.getByText(/Hashed: /).innerText() };
    };

    scenarios.ringless = async (browser) => {
        const page = await open(browser, facts);
        const dialog = await inside(page);
        await dialog.getByText("The DHT is off.").waitFor();
        await accessibleInBoth(page, "no DHT");
        clean(page);
    };

    return scenarios;
}
