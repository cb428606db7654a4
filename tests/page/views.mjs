// SPDX-License-Identifier: MIT
// Scenarios of the pictures of what goes on inside.
import assert from "node:assert/strict";
import { accessibleInBoth, clean, open, row } from "./browser.mjs";

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

    return scenarios;
}
