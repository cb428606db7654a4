// SPDX-License-Identifier: MIT
// Scenarios of what the daemon does by itself, of its log and of its network.
import assert from "node:assert/strict";
import { accessible, accessibleInBoth, clean, DESKTOP, focused, innocent, open, PHONE, row } from "./browser.mjs";

export function ownScenarios(facts) {
    const scenarios = {};

    async function press(page, what) {
        await page.locator(".list").waitFor();
        await page.getByRole("button", { name: what, exact: true }).click();
        return page.getByRole("dialog");
    }

    async function fitsInto(page, where) {
        const wide = await page.evaluate(() => Math.max(
            document.documentElement.scrollWidth - innerWidth,
            ...[...document.querySelectorAll(".dialog-body")].map((body) => body.scrollWidth - body.clientWidth)));
        assert.ok(wide <= 0, where);
    }

    scenarios.folders = async (browser) => {
        const page = await open(browser, facts, { expected: [/403/] });
        const dialog = await press(page, "Added by itself");
        await dialog.getByText("No folder is watched.").waitFor();
        await accessibleInBoth(page, "no folders");
        await dialog.getByRole("button", { name: "Watch a folder" }).click();
        const path = dialog.getByLabel("Folder on the daemon’s machine");
        await focused(path);
        await accessibleInBoth(page, "form of a folder");
        await page.keyboard.type("/etc");
        await page.keyboard.press("Enter");
        await dialog.getByRole("alert").filter({ hasText: "outside of the folders" }).waitFor();
        await path.fill(facts.watched);
        await dialog.getByLabel("A file that was taken").selectOption("rename");
        await dialog.getByLabel("Labels").fill("one\nand, two");
        await dialog.getByLabel("Start at once").uncheck();
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.getByText("1 taken").waitFor();
        await accessibleInBoth(page, "folders");
        await page.keyboard.press("Escape");
        await row(page, facts.torrentName).waitFor();

        // What it has is in the form again; Escape leaves the form, not the dialog.
        await press(page, "Added by itself");
        await dialog.getByRole("button", { name: "Change " + facts.watched }).click();
        assert.equal(await dialog.getByLabel("A file that was taken").inputValue(), "rename");
        assert.equal(await dialog.getByLabel("Labels").inputValue(), "one\nand, two");
        await dialog.getByLabel("A file that was taken").selectOption("keep");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.getByRole("button", { name: "Change " + facts.watched }).click();
        assert.equal(await dialog.getByLabel("A file that was taken").inputValue(), "keep");
        await page.keyboard.press("Escape");
        await dialog.getByRole("button", { name: "Remove " + facts.watched }).click();
        const keep = dialog.getByRole("button", { name: "Keep " + facts.watched });
        await focused(keep);
        await keep.click();
        await dialog.getByRole("button", { name: "Remove " + facts.watched }).click();
        await accessible(page, "is it to be removed?");
        await dialog.getByRole("button", { name: "Remove " + facts.watched }).click();
        await dialog.getByText("No folder is watched.").waitFor();
        clean(page);
    };

    scenarios.feeds = async (browser) => {
        const page = await open(browser, facts, { expected: [/400/] });
        const dialog = await press(page, "Added by itself");
        // By keys alone.
        await dialog.getByRole("tab", { name: "Folders" }).focus();
        await page.keyboard.press("ArrowRight");
        await dialog.getByText("No feed is read.").waitFor();
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await accessibleInBoth(page, "form of a feed");
        await page.keyboard.type(facts.feed);
        await dialog.getByLabel("Only items with").fill("ubuntu amd64\n/(/");
        await dialog.getByLabel("But none with").fill("beta");
        await dialog.getByLabel("Read every so many minutes").fill("45");
        await dialog.getByLabel("Each episode once").check();
        await dialog.getByLabel("Start at once").uncheck();
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.getByRole("alert").waitFor();
        await dialog.getByLabel("Only items with").fill("ubuntu amd64");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.getByText("3 items there, 1 taken").waitFor();
        await accessibleInBoth(page, "feeds");
        await dialog.getByRole("button", { name: "Items of Things" }).click();
        await dialog.getByText("Taken", { exact: false }).first().waitFor();
        const items = await dialog.locator(".items li").evaluateAll((all) => all.map((item) => [item.querySelector(".name").textContent, item.querySelector("small").textContent]));
        await accessibleInBoth(page, "items");
        await dialog.getByRole("button", { name: "Back" }).click();
        await dialog.getByRole("button", { name: "Remove Things" }).click();
        await dialog.getByRole("button", { name: "Remove Things" }).click();
        await dialog.getByText("No feed is read.").waitFor();
        await page.keyboard.press("Escape");
        await row(page, "m0").waitFor();
        clean(page);
        return { items };
    };

    // A line that the daemon writes while we look: there is no such folder.
    async function provoke(word) {
        const answer = await fetch(facts.url + "/api/v1/watch", {
            method: "POST", body: JSON.stringify({ path: `${facts.root}/${word}` }),
            headers: { Authorization: "Bearer " + facts.token, "X-Requested-With": "test", "Content-Type": "application/json" },
        });
        assert.equal(answer.status, 201);
    }

    scenarios.log = async (browser) => {
        const page = await open(browser, facts);
        const dialog = await press(page, "Log");
        const lines = dialog.locator(".log.lines li");
        await lines.first().waitFor();
        await accessibleInBoth(page, "log");
        await provoke("first-folder");
        await lines.filter({ hasText: "first-folder" }).first().waitFor();
        const end = await dialog.locator(".log.lines").evaluate((list) => list.scrollHeight - list.clientHeight - list.scrollTop);
        assert.ok(end < 2, "the last line is in sight");
        const numbers = await lines.locator("time").count();
        await dialog.getByLabel("Follow").uncheck();
        await provoke("second-folder");
        await page.waitForTimeout(2500);
        assert.equal(await lines.locator("time").count(), numbers);
        await dialog.getByLabel("Follow").check();
        await lines.filter({ hasText: "second-folder" }).first().waitFor();
        await dialog.getByLabel("Only lines with").fill("second-folder");
        await page.waitForFunction((word) => [...document.querySelectorAll(".log.lines li")].every((line) => line.textContent.includes(word)), "second-folder");
        assert.ok(await lines.count() >= 1);
        await dialog.getByLabel("Only lines with").fill("no such line");
        await dialog.getByText("No line fits.").waitFor();
        await dialog.getByRole("tab", { name: "Daemon" }).focus();
        await page.keyboard.press("ArrowRight");
        await dialog.getByText("Nothing has happened").waitFor();
        await accessibleInBoth(page, "log of the page");
        clean(page);
    };

    scenarios.network = async (browser) => {
        const page = await open(browser, facts, { expected: [/502/] });
        const dialog = await press(page, "Settings");
        await dialog.getByRole("tab", { name: "Network" }).click();
        assert.equal(await dialog.getByLabel("Encryption of connections").inputValue(), "allow");
        await dialog.getByLabel("Encryption of connections").selectOption("require");
        await dialog.getByLabel("uTP").uncheck();
        await dialog.getByLabel("Block addresses of a list").check();
        await dialog.getByLabel("Its URL").fill(facts.list + "/absent");
        await dialog.getByRole("button", { name: "Save and fetch" }).click();
        await dialog.getByRole("alert").filter({ hasText: "404" }).waitFor();
        await dialog.getByLabel("Its URL").fill(facts.list + "/list");
        await dialog.getByRole("button", { name: "Save and fetch" }).click();
        await dialog.getByText("2\u00a0ranges blocked").waitFor();
        await accessibleInBoth(page, "network");
        await dialog.getByRole("button", { name: "Save", exact: true }).click();
        await dialog.waitFor({ state: "detached" });
        await press(page, "Settings");
        await dialog.getByRole("tab", { name: "Network" }).click();
        assert.equal(await dialog.getByLabel("Encryption of connections").inputValue(), "require");
        await dialog.getByText("2\u00a0ranges blocked").waitFor();
        clean(page);
    };

    // What one torrent has of its own, seen again when the dialog is opened once more.
    scenarios.goals = async (browser) => {
        for (const [size, hours] of [[DESKTOP, "48"], [PHONE, "0.5"]]) {
            const page = await open(browser, facts, { size });
            await row(page, facts.torrentName).locator(".c-name").click();
            const dialog = page.getByRole("dialog", { name: "Limits and goals" });
            const show = async () => {
                await page.keyboard.press("s");
                await dialog.waitFor();
            };
            const gone = async () => {
                await dialog.getByRole("button", { name: "Save" }).click();
                await dialog.waitFor({ state: "detached" });
            };
            await show();
            const time = dialog.getByLabel("Time of seeding, hours");
            if (size === DESKTOP) {
                for (const goal of ["Stop at a ratio", "Stop when nobody asks"]) assert.equal(await dialog.getByLabel(goal, { exact: true }).inputValue(), "global");
                assert.equal(await dialog.getByLabel("Stop after a time of seeding").isChecked(), false);
                assert.equal(await time.isDisabled(), true);
                assert.equal(await dialog.getByLabel("Uploads at once").inputValue(), "0");
            }
            await dialog.getByLabel("Stop at a ratio", { exact: true }).selectOption("own");
            await dialog.getByLabel("Stop at a ratio, ratio").fill("1.25");
            await dialog.getByLabel("Stop when nobody asks", { exact: true }).selectOption("own");
            const idle = dialog.getByLabel("Stop when nobody asks, minutes");
            await dialog.getByLabel("Stop after a time of seeding").check();
            await dialog.getByLabel("Uploads at once").fill("7");
            await dialog.getByLabel("Connections").selectOption("utp");
            // What is no time is not saved.
            await idle.fill("0");
            await time.fill("soon");
            await dialog.getByRole("button", { name: "Save" }).click();
            await dialog.getByText("For example 48 or 0.5").waitFor();
            assert.equal(await idle.getAttribute("aria-invalid"), "true");
            await accessibleInBoth(page, "goals that are wrong " + size.width);
            await idle.fill("90");
            await time.fill(hours);
            await accessibleInBoth(page, "goals " + size.width);
            await fitsInto(page, "goals");
            await gone();
            await show();
            assert.equal(await dialog.getByLabel("Stop at a ratio, ratio").inputValue(), "1.25");
            assert.equal(await idle.inputValue(), "90");
            assert.equal(await time.inputValue(), hours);
            assert.equal(await dialog.getByLabel("Uploads at once").inputValue(), "7");
            assert.equal(await dialog.getByLabel("Connections").inputValue(), "utp");
            await gone(); // nothing is changed by saving what is there
            clean(page);
        }
    };

    // What several were not told stays theirs.
    scenarios.goalsOfMany = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).locator(".c-name").click();
        await page.keyboard.press("Control+a");
        await page.getByText("2 selected").waitFor();
        await page.keyboard.press("s");
        const dialog = page.getByRole("dialog", { name: "Limits of 2 torrents" });
        await dialog.getByLabel("Peers at most").fill("33");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        clean(page);
    };

    // And back.
    scenarios.noGoals = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).locator(".c-name").click();
        await page.keyboard.press("s");
        const dialog = page.getByRole("dialog", { name: "Limits and goals" });
        assert.equal(await dialog.getByLabel("Time of seeding, hours").inputValue(), "0.0278"); // 100 seconds
        await dialog.getByLabel("Stop at a ratio", { exact: true }).selectOption("unlimited");
        await dialog.getByLabel("Stop when nobody asks", { exact: true }).selectOption("unlimited");
        await dialog.getByLabel("Connections").selectOption("any");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        const answer = await fetch(`${facts.url}/api/v1/torrents/${facts.number}`, { headers: { Authorization: "Bearer " + facts.token } });
        assert.equal((await answer.json()).seed_time, 100); // to the second
        await page.keyboard.press("s");
        await dialog.getByLabel("Stop after a time of seeding").uncheck();
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        clean(page);
    };

    scenarios.flags = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).dblclick();
        await page.getByRole("tab", { name: "Peers" }).click();
        await page.locator("td abbr", { hasText: /^E$/ }).waitFor();
        await page.locator("td abbr", { hasText: /^uTP$/ }).waitFor();
        await accessibleInBoth(page, "flags");
        clean(page);
    };

    // Titles of a feed, names of folders and lines of the log are text, whatever they say.
    scenarios.hostileOwn = async (browser) => {
        const page = await open(browser, facts);
        const dialog = await press(page, "Added by itself");
        await page.waitForFunction((count) => document.querySelectorAll(".rules li").length === count, facts.folders);
        await innocent(page, "folders");
        const folders = await dialog.locator(".rules .name").allTextContents();
        for (let at = 0; at < facts.folders; at += 7) {
            await dialog.locator(".rules li").nth(at).getByRole("button", { name: /^Change/ }).click();
            await innocent(page, "form of folder " + at);
            await dialog.getByRole("button", { name: "Cancel" }).click();
        }
        await accessible(page, "hostile folders");
        await dialog.getByRole("tab", { name: "Feeds" }).click();
        await dialog.getByText("40 items there").waitFor();
        await innocent(page, "feeds");
        await dialog.getByRole("button", { name: /^Items of/ }).click();
        await dialog.locator(".items li").first().waitFor();
        await innocent(page, "items");
        const items = await dialog.locator(".items .name").allTextContents();
        await fitsInto(page, "items");
        await accessible(page, "hostile items");
        await dialog.getByRole("button", { name: "Back" }).click();
        await page.keyboard.press("Escape");
        await press(page, "Log");
        await dialog.locator(".log.lines li").filter({ hasText: facts.words }).first().waitFor();
        await innocent(page, "log");
        await fitsInto(page, "log");
        assert.equal(await page.evaluate(() => /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText)), false);
        return { folders, items };
    };

    scenarios.ownOnAPhone = async (browser) => {
        for (const scheme of ["light", "dark"]) {
            const page = await open(browser, facts, { size: PHONE, scheme });
            const see = async (what) => {
                await accessible(page, `phone ${what} ${scheme}`);
                await fitsInto(page, `phone ${what} ${scheme}`);
            };
            const choose = async (what) => {
                await page.locator(".list").waitFor();
                await page.getByRole("button", { name: "Menu" }).tap();
                await page.getByRole("menuitem", { name: what }).tap();
            };
            const dialog = page.getByRole("dialog");
            await choose("Added by itself");
            await dialog.locator(".rules li").first().waitFor();
            await see("folders");
            await dialog.getByRole("button", { name: "Watch a folder" }).tap();
            await see("folder");
            await dialog.getByRole("button", { name: "Cancel" }).tap();
            await dialog.getByRole("tab", { name: "Feeds" }).tap();
            await dialog.getByText("3 items there").waitFor();
            await see("feeds");
            await dialog.getByRole("button", { name: "Read a feed" }).tap();
            await see("feed");
            await dialog.getByRole("button", { name: "Cancel" }).tap();
            await dialog.getByRole("button", { name: /^Items of/ }).tap();
            await dialog.locator(".items li").first().waitFor();
            await see("items");
            await dialog.getByRole("button", { name: "Back" }).tap();
            await dialog.getByRole("button", { name: "Close" }).first().tap();
            await choose("Log");
            await dialog.locator(".log.lines li").first().waitFor();
            await see("log");
            await dialog.getByRole("button", { name: "Close" }).first().tap();
            await choose("Settings");
            await dialog.getByRole("tab", { name: "Network" }).tap();
            await dialog.getByLabel("Block addresses of a list").check();
            await see("network");
            clean(page);
        }
    };

    return scenarios;
}
