// SPDX-License-Identifier: MIT
// Scenarios of files that are played while they come.
import assert from "node:assert/strict";
import { accessibleInBoth, clean, DESKTOP, focused, innocent, open, PHONE, row } from "./browser.mjs";

export function playScenarios(facts) {
    const scenarios = {};

    async function files(page) {
        await page.locator(".list").waitFor();
        await row(page, facts.torrentName).dblclick();
        await page.getByRole("tab", { name: "Files" }).click();
        await page.getByText("sound.wav", { exact: true }).waitFor();
    }

    const state = (player) => player.evaluate((element) => ({
        time: element.currentTime, duration: element.duration, ready: element.readyState, error: element.error?.message ?? null,
    }));

    async function plays(player, from) {
        await player.evaluate((element) => { element.muted = true; void element.play(); });
        await player.page().waitForFunction(([element, least]) => element.error || element.currentTime > least,
            [await player.elementHandle(), from]);
        const now = await state(player);
        assert.equal(now.error, null);
        return now;
    }

    scenarios.play = async (browser) => {
        const page = await open(browser, facts);
        await files(page);
        assert.equal(await page.getByRole("button", { name: "Play sound.wav" }).count(), 0); // it does not run
        await page.locator(".files-bar").getByRole("button", { name: "Start" }).click();
        await page.getByRole("button", { name: "Play sound.wav" }).click();
        const dialog = page.getByRole("dialog");
        const player = dialog.locator("audio");
        const begun = await plays(player, 0.3);
        assert.equal(Math.round(begun.duration), facts.seconds);
        const share = await page.evaluate(async ([id, token]) => (await (await fetch(`/api/v1/torrents/${id}`,
            { headers: { Authorization: "Bearer " + token } })).json()).progress, [facts.number, facts.token]);
        // Far ahead: that comes next.
        await player.evaluate((element, to) => { element.currentTime = to; }, facts.seconds * 0.7);
        await plays(player, facts.seconds * 0.7 + 0.2);
        await accessibleInBoth(page, "player");
        await dialog.getByRole("button", { name: "Close" }).last().click();
        await dialog.waitFor({ state: "detached" });

        // By keys, and what no browser plays has a link all the same.
        const tree = page.getByRole("treegrid");
        await tree.focus();
        await page.keyboard.press("Home");
        await page.locator(".tree-row.here", { hasText: "concert" }).waitFor();
        await page.keyboard.press("ArrowDown");
        await page.locator(".tree-row.here", { hasText: "page.html" }).waitFor();
        await page.keyboard.press("Enter");
        await dialog.getByText("A browser does not show such files").waitFor();
        await focused(dialog.getByRole("button", { name: "Close" }).last());
        const href = await dialog.getByRole("link", { name: "Save" }).getAttribute("href");
        assert.match(href, /^\/stream\/\d+\/\d+\?key=[0-9a-f]{32}$/);
        await page.keyboard.press("Escape");

        // A page of somebody's torrent is saved, never shown: nothing of it runs in our origin.
        const other = await page.context().newPage();
        const saved = other.waitForEvent("download");
        await other.goto(facts.url + href).catch(() => null);
        assert.equal((await saved).suggestedFilename(), "page.html");
        assert.equal(await page.evaluate(() => window.ran ?? null), null);
        clean(page);
        return { share };
    };

    scenarios.playPicture = async (browser) => {
        const page = await open(browser, facts);
        await files(page);
        await page.getByRole("button", { name: "Play picture.png" }).click();
        const picture = page.getByRole("dialog").locator("img");
        await page.waitForFunction((element) => element.complete && element.naturalWidth === 8, await picture.elementHandle());
        // What is not wanted, and what does not run, is not played.
        await page.keyboard.press("Escape");
        await page.getByLabel("Get picture.png").uncheck();
        await page.getByRole("button", { name: "Play picture.png" }).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Stop", exact: true }).last().click();
        await page.getByRole("button", { name: "Play sound.wav" }).waitFor({ state: "detached" });
        await innocent(page, "files");
    };

    scenarios.playOnAPhone = async (browser) => {
        for (const [size, scheme] of [[PHONE, "light"], [PHONE, "dark"], [DESKTOP, "dark"]]) {
            const page = await open(browser, facts, { size, scheme });
            await page.locator(".list").waitFor();
            await (size === PHONE ? row(page, facts.torrentName).click() : row(page, facts.torrentName).dblclick());
            await page.getByRole("tab", { name: "Files" }).click();
            await page.getByRole("button", { name: "Play sound.wav" }).click();
            await plays(page.getByRole("dialog").locator("audio"), 0.2);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(wide <= 0, "fits");
            if (facts.pictures) await page.screenshot({ path: `${facts.pictures}/play-${size.width}-${scheme}.png` });
            clean(page);
            await page.context().close();
        }
    };

    return scenarios;
}
