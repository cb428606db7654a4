// SPDX-License-Identifier: MIT
// Scenarios of what is done to torrents: to many at once, by keys, by menus and dialogs.
import assert from "node:assert/strict";
import { accessible, accessibleInBoth, clean, DESKTOP, focused, names, open, row } from "./browser.mjs";

export function deedScenarios(facts) {
    const scenarios = {};

    const here = (page) => page.locator(".row.here .name");
    const selected = (page, count) => page.getByText(`${count} selected`).waitFor();

    async function files(page, name) {
        await row(page, name).dblclick();
        await page.getByRole("tab", { name: "Files" }).click();
        await page.locator(".tree-row").first().waitFor();
    }

    async function labelsDialog(page) {
        await page.locator(".list").focus();
        await page.keyboard.press("Control+a");
        await selected(page, facts.count);
        await page.keyboard.press("l");
        const dialog = page.getByRole("dialog", { name: /Labels of/ });
        await dialog.waitFor();
        return dialog;
    }

    // Most of them were never loaded: their labels are asked for, and only what was touched changes.
    scenarios.labelsOfMany = async (browser) => {
        const page = await open(browser, facts);
        await page.locator(".rows .row .name").nth(5).waitFor();
        let dialog = await labelsDialog(page);
        const box = (name) => dialog.getByRole("checkbox", { name });
        const state = async (name) => box(name).getAttribute("aria-checked");
        assert.deepEqual(await dialog.getByRole("checkbox").allTextContents(),
            [`ab1 of ${facts.count}`, "everywhere", `third${facts.thirds} of ${facts.count}`]);
        assert.deepEqual([await state("everywhere"), await state("third")], ["true", "mixed"]);
        await accessibleInBoth(page, "labels of many");
        await box("everywhere").click();
        await box("ab").click();
        await box("ab").click();
        for (const next of ["true", "false", "mixed"]) {
            await box("third").click();
            assert.equal(await state("third"), next);
        }
        await dialog.getByLabel("New label").fill("new");
        await page.keyboard.press("Enter");
        assert.equal(await state("new"), "true");
        await accessible(page, "labels of many, changed");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });

        dialog = await labelsDialog(page);
        assert.deepEqual(await dialog.getByRole("checkbox").allTextContents(), ["new", `third${facts.thirds} of ${facts.count}`]);
        await dialog.getByRole("button", { name: "Save" }).click(); // of nothing
        await dialog.waitFor({ state: "detached" });
        clean(page);
    };

    scenarios.ranges = async (browser) => {
        const page = await open(browser, facts);
        await page.locator(".rows .row .name").nth(5).waitFor();
        const list = page.locator(".list");
        const [first] = await names(page);

        // To rows that nobody has seen yet: the cursor is there when they are.
        await list.focus();
        await page.keyboard.press("End");
        await page.keyboard.press("ArrowUp");
        await page.locator(".row.here", { hasText: facts.names[1] }).waitFor();
        await page.keyboard.press("ArrowDown");
        assert.equal(await here(page).innerText(), facts.names[0]);
        await page.keyboard.press("Home");
        await page.locator(".row.here", { hasText: first }).waitFor();

        await page.keyboard.press("Shift+End");
        await selected(page, facts.names.length);
        await page.keyboard.press("Escape");
        await page.keyboard.press("Home");
        await row(page, first).click();
        await list.evaluate((element) => { element.scrollTop = element.scrollHeight; });
        await row(page, facts.names[2]).click({ modifiers: ["Shift"] });
        await selected(page, facts.names.length - 2);
        clean(page);
        return { first };
    };

    scenarios.order = async (browser) => {
        for (const size of [DESKTOP, { width: 800, height: 600 }]) {
            const page = await open(browser, facts, { size });
            await page.locator(".rows .row .name").nth(facts.names.length - 1).waitFor();
            const shown = (order) => page.waitForFunction((wanted) =>
                [...document.querySelectorAll(".rows .row")].sort((a, b) => a.dataset.index - b.dataset.index)
                    .map((line) => line.querySelector(".name")?.textContent).join() === wanted, order.join());
            await page.locator(".list").focus();
            await page.keyboard.press("Control+a");
            await page.keyboard.press("o");
            await focused(page.locator("#sort"));
            await page.keyboard.type("Queue");
            await shown(facts.names);
            assert.equal(await page.locator("#sort").inputValue(), "queue");
            await page.keyboard.press("Tab");
            await focused(page.getByRole("button", { name: "Ascending; turn round" }));
            await page.keyboard.press("Enter");
            await shown([...facts.names].reverse());
            await selected(page, facts.names.length);
            assert.deepEqual(await page.locator("#sort option").allTextContents().then((all) =>
                ["Added", "Ratio", "Queue"].every((one) => all.includes(one))), true);
            await accessible(page, "order " + size.width);
            clean(page);
        }
    };

    scenarios.priorities = async (browser) => {
        const page = await open(browser, facts);
        await files(page, facts.torrentName);
        await page.locator(".tree").focus();
        const priority = (name) => page.getByLabel("Priority of " + name, { exact: true });
        const is = (name, value) => page.waitForFunction(([label, wanted]) =>
            document.querySelector(`[aria-label="${label}"]`)?.value === wanted, ["Priority of " + name, value]);
        for (let row = 0; row < 3; row++) await page.keyboard.press("ArrowDown");
        await page.keyboard.press("+");
        await is("one.mkv", "7");
        await page.locator('.files [role="status"]', { hasText: "one.mkv: High" }).waitFor({ state: "attached" });
        await page.keyboard.press("End");
        await page.keyboard.press("-");
        await is("readme.txt", "1");
        await page.keyboard.press("Home");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("-");
        await is("extras", "1");
        await page.keyboard.press("-");
        await is("two.mkv", "0");
        await page.locator(".tree-row.skipped", { hasText: "two.mkv" }).waitFor();
        await priority("readme.txt").selectOption("Normal");
        await is("readme.txt", "4");
        await accessible(page, "priorities");
        clean(page);
    };

    return scenarios;
}
