// SPDX-License-Identifier: MIT
// How the page begins: its frame comes with the HTML, its script later, other parts when needed.
import assert from "node:assert/strict";
import { accessible, clean, DESKTOP, names, open, PHONE } from "./browser.mjs";

// Where the frame's parts are, and how large; what holds a number is as wide as that.
function places() {
    return ["h1", "#search", ".speeds", ".add", ".top-buttons", ".filters", ".filters button", ".list", ".head", "main", "#sort"].map((part) => {
        const { x, y, width, height } = document.querySelector(part).getBoundingClientRect();
        return /speeds|filters button/.test(part) ? [part, y, height].join(" ") : [part, x, y, width, height].join(" ");
    });
}

// The page, whose script is held back until `release`.
async function held(browser, facts, how) {
    const page = await open(browser, { ...facts, url: "data:," }, { ...how, token: "" });
    page.faults.length = 0;
    page.removeAllListeners("request");
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    let release;
    const go = new Promise((resolve) => { release = resolve; });
    await page.route("**/app.js", async (route) => {
        await go;
        await route.continue();
    });
    if (how.theme) await page.addInitScript((theme) => localStorage.setItem("freshet-theme", theme), how.theme);
    await page.goto(facts.url + "/#token=" + facts.token, { waitUntil: "commit" });
    await page.locator("#end").waitFor({ state: "attached" });
    return { page, asked, release };
}

export function firstScenarios(facts) {
    const scenarios = {};

    scenarios.frame = async (browser) => {
        for (const [size, theme, scheme] of [[DESKTOP, "", "light"], [DESKTOP, "dark", "light"], [PHONE, "", "dark"]]) {
            const where = `${size.width} ${theme} ${scheme}`;
            const { page, asked, release } = await held(browser, facts, { size, theme, scheme });
            assert.equal(await page.evaluate(() => document.documentElement.dataset.theme ?? ""), theme, where);
            assert.equal(new URL(page.url()).hash, "", where); // the token has left the address
            await page.getByText("Downloading").waitFor();
            assert.equal(await page.locator(".head").isVisible(), size === DESKTOP, where);
            assert.equal(await page.getByRole("button", { name: "Menu" }).isVisible(), size === PHONE, where);
            assert.equal(await page.locator(".filters .count").first().textContent(), "", where); // what is not known is not told
            await accessible(page, "frame " + where);
            await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length === 1);
            const before = await page.evaluate(places);
            await page.evaluate(() => {
                window.held = [...document.querySelectorAll("#page *")].filter((element) => !element.closest(".rows > *"));
            });
            assert.equal(asked.filter((path) => path === "/api/v1/torrents").length, 1, where); // under way already
            release();
            await page.locator(".rows .row .name").nth(facts.names.length - 1).waitFor();
            assert.deepEqual((await names(page)).sort(), facts.names, where);
            assert.deepEqual(await page.evaluate(places), before, where);
            assert.deepEqual(await page.evaluate(() => window.held.filter((element) => !element.isConnected).map((element) => element.outerHTML)), [], where);
            await page.waitForFunction(() => document.querySelector(".filters .count").textContent === "2");
            assert.equal(asked.filter((path) => path === "/api/v1/torrents").length, 1, where); // and nobody asks again
            clean(page);
        }
        // Without its script it says so.
        const context = await browser.newContext({ javaScriptEnabled: false, viewport: DESKTOP });
        const page = await context.newPage();
        await page.goto(facts.url + "/");
        const box = await page.locator("noscript p").boundingBox();
        assert.ok(box && box.height > 20 && box.y + box.height <= DESKTOP.height, JSON.stringify(box));
    };

    scenarios.plot = async (browser) => {
        const page = await open(browser, facts);
        const asked = [];
        page.on("request", (request) => asked.push(new URL(request.url()).pathname));
        await page.locator(".rows .row").first().waitFor();
        assert.equal(asked.includes("/draw.js"), false);
        await page.getByRole("button", { name: /Speed over time/ }).click();
        await page.locator(".dialog .plot canvas").waitFor();
        assert.equal(asked.includes("/draw.js"), true);
        await page.keyboard.press("Escape");
        // One that is closed before its code has come draws nothing later.
        await page.getByRole("button", { name: /Speed over time/ }).click();
        await page.keyboard.press("Escape");
        await page.locator(".dialog").waitFor({ state: "detached" });
        clean(page);
    };

    return scenarios;
}
