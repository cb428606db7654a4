// SPDX-License-Identifier: MIT
// Scenarios of what is done to torrents: to many at once, by keys, by menus and dialogs.
import assert from "node:assert/strict";
import { accessible, accessibleInBoth, clean, DESKTOP, focused, names, open, PHONE, row } from "./browser.mjs";

export function deedScenarios(facts) {
    const scenarios = {};

    const here = (page) => page.locator(".row.here .name");
    const selected = (page, count) => page.getByText(`${count} selected`).waitFor();

    async function menu(page, name, what) {
        await row(page, name).click({ button: "right" });
        const item = page.getByRole("menuitem", { name: what, exact: true });
        await item.waitFor();
        return item;
    }

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

    // The heads are one stop of the Tab key; arrows go among those that can be seen.
    scenarios.heads = async (browser) => {
        const page = await open(browser, facts);
        await page.locator(".rows .row .name").nth(facts.names.length - 1).waitFor();
        const head = (name) => page.getByRole("columnheader", { name, exact: true });
        const sorted = async (name, way) => {
            await page.waitForFunction(() => document.querySelectorAll('[role="columnheader"][aria-sort]:not([aria-sort="none"])').length === 1);
            assert.equal(await head(name).getAttribute("aria-sort"), way);
        };
        const listed = (names) => page.waitForFunction((wanted) =>
            [...document.querySelectorAll(".rows .row .name")].map((name) => name.textContent).join() === wanted, names.join());
        const stops = () => page.locator('.header [tabindex="0"]').count();
        const heads = page.locator(".header button:visible");
        const byName = [...facts.names].sort();
        await page.locator(".list").focus();
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Tab");
        await focused(head("Name").getByRole("button"));
        assert.deepEqual(await page.evaluate(() => {
            const style = getComputedStyle(document.activeElement);
            return [style.outlineStyle, style.outlineWidth];
        }), ["solid", "2px"]);
        await page.keyboard.press("Enter");
        await sorted("Name", "ascending");
        await listed(byName);
        await page.keyboard.press("Space");
        await sorted("Name", "descending");
        await listed(byName.reverse());
        assert.equal(await page.locator(".details").count(), 0); // the keys are the head's alone
        assert.equal(await page.locator(".row.selected").count(), 0);
        await page.keyboard.press("ArrowRight");
        await focused(head("Size").getByRole("button"));
        assert.equal(await stops(), 1);
        await page.keyboard.press("Enter");
        await sorted("Size", "descending");
        await listed([...facts.names].reverse()); // each is larger than the one before
        await accessibleInBoth(page, "a head with the focus");
        await page.keyboard.press("End");
        await focused(heads.last());
        await page.keyboard.press("ArrowRight");
        await focused(heads.last());
        await page.keyboard.press("Home");
        await focused(page.getByLabel("Select all"));
        await page.keyboard.press("Space");
        await selected(page, facts.names.length);
        await page.keyboard.press("Escape");
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate(() => document.activeElement.closest(".header")), null);
        assert.equal(await stops(), 1);
        await page.locator(".list").focus();
        await page.keyboard.press("Tab");
        await focused(head("Name").getByRole("button"));
        await page.keyboard.press("Shift+Tab");
        await focused(page.locator(".list"));
        await page.keyboard.press("Tab");
        await page.keyboard.press("ArrowDown"); // back into the rows
        await focused(page.locator(".list"));
        clean(page);
        await page.context().close();

        // The heads that are left where there is less room.
        const narrow = await open(browser, facts, { size: { width: 800, height: 600 } });
        await narrow.locator(".rows .row .name").first().waitFor();
        await narrow.locator(".list").focus();
        await narrow.keyboard.press("Tab");
        await narrow.keyboard.press("End");
        await focused(narrow.locator(".header button:visible").last());
        clean(narrow);
    };

    // Places in the queue change as one looks, sorted by them and by something else.
    scenarios.queue = async (browser) => {
        const page = await open(browser, facts);
        await page.locator(".rows .row .name").nth(facts.names.length - 1).waitFor();
        const places = (wanted) => page.waitForFunction((wanted) => [...document.querySelectorAll(".rows .row")]
            .map((line) => line.querySelector(".c-queue").textContent + " " + line.querySelector(".name").textContent).join() === wanted, wanted.join());
        const asked = async () => {
            const answer = await fetch(facts.url + "/api/v1/torrents?sort=queue&order=asc", { headers: { Authorization: "Bearer " + facts.token } });
            return (await answer.json()).rows.map((row) => [row.queue, row.name]);
        };
        const stands = async (order) => {
            await places([...order].map((name, at) => `${at + 1} ${name}`));
            assert.deepEqual(await asked(), [...order].map((name, at) => [at, name]));
        };
        const head = page.getByRole("columnheader", { name: "# in the queue" });
        await head.getByRole("button").click();
        await page.waitForFunction(() => document.querySelector('[aria-sort="ascending"] .sr'));
        await stands("abcde");
        for (const [name, move, order] of [["d", "To the top of the queue", "dabce"], ["a", "Down in the queue", "dbace"],
            ["e", "Up in the queue", "dbaec"], ["d", "To the end of the queue", "baecd"], ["b", "Up in the queue", "baecd"]]) {
            await (await menu(page, name, move)).click();
            await stands(order);
        }
        for (const [move, order] of [["To the end of the queue", "acdbe"], ["Up in the queue", "acbed"], ["To the top of the queue", "beacd"],
            ["Down in the queue", "abecd"]]) {
            for (const name of "be") await row(page, name).click({ modifiers: ["Control"] });
            await selected(page, 2);
            await (await menu(page, "e", move)).click();
            await stands(order);
            await page.keyboard.press("Escape");
        }
        await accessibleInBoth(page, "places in the queue");
        await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
        await places(["1 a", "2 b", "4 c", "5 d", "3 e"]);
        await (await menu(page, "a", "To the end of the queue")).click();
        await places(["5 a", "1 b", "3 c", "4 d", "2 e"]);
        // By keys alone, from a menu that stands at its button.
        await row(page, "b").dblclick();
        const more = page.locator(".details").getByRole("button", { name: "More" });
        await more.focus();
        await page.keyboard.press("Enter");
        const [box, stand] = [await page.locator(".menu").boundingBox(), await more.boundingBox()];
        assert.ok(box.x < stand.x + stand.width && box.x + box.width > stand.x, JSON.stringify([box, stand]));
        await focused(page.getByRole("menuitem").first());
        while (!await page.getByRole("menuitem", { name: "Down in the queue" }).evaluate((item) => item === document.activeElement)) await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await places(["5 a", "2 b", "3 c", "4 d", "1 e"]);
        await focused(more);
        // From the list: the menu stands at the row that stands out.
        await row(page, "d").locator(".c-name").click();
        await page.locator(".list").focus();
        await page.keyboard.press("ContextMenu");
        const [below, line] = [await page.locator(".menu").boundingBox(), await row(page, "d").boundingBox()];
        assert.ok(below.x === line.x && below.y <= line.y + line.height && below.y + below.height > line.y, JSON.stringify([below, line]));
        while (!await page.getByRole("menuitem", { name: "Up in the queue" }).evaluate((item) => item === document.activeElement)) await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await places(["5 a", "2 b", "4 c", "3 d", "1 e"]);
        await page.keyboard.press("ContextMenu");
        await page.getByRole("menuitem", { name: "Down in the queue" }).click();
        await places(["5 a", "2 b", "3 c", "4 d", "1 e"]);
        clean(page);
        await page.context().close();

        const phone = await open(browser, facts, { size: PHONE });
        await row(phone, "b").locator(".c-name").tap();
        const place = (words) => phone.locator(".fact", { hasText: "In the queue" }).locator("dd", { hasText: words }).waitFor();
        await place("2 of 5");
        await phone.locator(".details").getByRole("button", { name: "More" }).tap();
        await phone.getByRole("menuitem", { name: "Down in the queue" }).tap();
        await place("3 of 5");
        assert.equal((await asked()).map(([, name]) => name).join(""), "ecbda");
        clean(phone);
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

        // What the server said before the last change comes after it, and changes nothing.
        let late, comes, held = false;
        const came = new Promise((resolve) => { comes = resolve; });
        const waits = new Promise((resolve) => { late = resolve; });
        await page.route("**/files?*", async (route) => {
            const answer = await route.fetch();
            if (!held) {
                held = true;
                comes();
                await waits;
            }
            await route.fulfill({ response: answer });
        });
        await page.locator(".tree").focus();
        await page.keyboard.press("End");
        await page.keyboard.press("+");
        await is("readme.txt", "7");
        await came;
        const newer = page.waitForResponse(/files\?/);
        await page.keyboard.press("-");
        await is("readme.txt", "4");
        await (await newer).finished();
        const old = page.waitForResponse(/files\?/);
        late();
        await (await old).finished();
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
        assert.equal(await priority("readme.txt").inputValue(), "4");
        await page.unrouteAll({ behavior: "wait" });
        clean(page);
    };

    // Over plain HTTP from another machine a page has no clipboard.
    scenarios.magnetCopied = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).waitFor();
        await page.evaluate(() => {
            Object.defineProperty(navigator, "clipboard", { value: undefined });
            document.addEventListener("copy", () => { window.copied = document.activeElement.value; });
        });
        const item = await menu(page, facts.torrentName, "Copy magnet link");
        await accessibleInBoth(page, "menu");
        await item.click();
        await page.locator(".toast.good", { hasText: "Magnet link copied" }).waitFor();
        assert.match(await page.evaluate(() => window.copied), new RegExp("^magnet:\\?xt=urn:btih:" + facts.hash));
        assert.equal(await page.locator("body > textarea").count(), 0);
        clean(page);
    };

    scenarios.shared = async (browser) => {
        for (const size of [DESKTOP, PHONE]) {
            const page = await open(browser, facts, { size });
            await row(page, facts.torrentName).waitFor();
            await (await menu(page, facts.torrentName, "Share…")).click();
            const dialog = page.getByRole("dialog", { name: "Share" });
            const link = dialog.getByLabel("Magnet link", { exact: true });
            assert.match(await link.inputValue(), new RegExp("^magnet:\\?xt=urn:btih:" + facts.hash));
            assert.ok(!(await link.inputValue()).includes("&tr="));
            await accessibleInBoth(page, "share " + size.width);
            // Corners of dark and light as such codes have them, on a light ground.
            const code = await dialog.getByRole("img", { name: "QR code of the magnet link" }).evaluate((canvas) => {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                const line = Array.from({ length: canvas.width }, (_, x) => data[(Math.floor(canvas.height / 2) * canvas.width + x) * 4] < 128);
                return { square: canvas.width === canvas.height, turns: line.filter((dark, x) => dark !== line[x - 1]).length, corner: data[0] };
            });
            assert.ok(code.square && code.turns > 10 && code.corner === 255, JSON.stringify(code));
            await dialog.getByLabel("With trackers and web seeds").check();
            assert.ok(decodeURIComponent(await link.inputValue()).includes("&tr=" + facts.tracker));
            await dialog.getByRole("button", { name: "Copy link" }).click();
            await dialog.getByRole("button", { name: "Copied" }).waitFor();
            clean(page);
        }
    };

    scenarios.dropped = async (browser) => {
        const page = await open(browser, facts);
        await page.getByText("No torrents yet.").waitFor();
        const carried = await page.evaluateHandle((bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], "one.torrent", { type: "application/x-bittorrent" }));
            return transfer;
        }, facts.bytes);
        await page.dispatchEvent(".list", "dragenter", { dataTransfer: carried });
        await page.locator(".drop-hint").waitFor();
        await page.dispatchEvent(".list", "drop", { dataTransfer: carried });
        await page.locator(".drop-hint").waitFor({ state: "detached" });
        const dialog = page.getByRole("dialog", { name: "Add torrents" });
        await dialog.getByText(facts.torrentName).first().waitFor();
        await dialog.getByRole("button", { name: "Add", exact: true }).click();
        await dialog.waitFor({ state: "detached" });
        await row(page, facts.torrentName).waitFor();
        clean(page);
    };

    // Links come in by a drop or by the keys that paste; other words do nothing.
    scenarios.droppedWords = async (browser) => {
        const page = await open(browser, facts);
        await page.getByText("No torrents yet.").waitFor();
        const dialog = page.getByRole("dialog", { name: "Add torrents" });
        const drop = async (words, types = ["text/plain"]) => {
            const carried = await page.evaluateHandle(([text, kinds]) => {
                const transfer = new DataTransfer();
                for (const kind of kinds) transfer.setData(kind, text);
                return transfer;
            }, [words, types]);
            await page.dispatchEvent(".list", "dragenter", { dataTransfer: carried });
            await page.locator(".drop-hint").waitFor();
            await page.dispatchEvent(".list", "dragover", { dataTransfer: carried });
            await page.dispatchEvent(".list", "drop", { dataTransfer: carried });
            await page.locator(".drop-hint").waitFor({ state: "detached" });
        };
        await drop("magnetic words, and <b>no link</b>");
        assert.equal(await dialog.count(), 0);
        await drop("see " + facts.links[0] + " there", ["text/plain", "text/uri-list"]);
        await dialog.getByText(facts.names[0]).waitFor();
        assert.equal(await dialog.locator(".found li").count(), 1);
        await accessibleInBoth(page, "a link that was dropped");
        await dialog.getByRole("button", { name: "Add", exact: true }).click();
        await dialog.waitFor({ state: "detached" });
        await row(page, facts.names[0]).waitFor();
        await drop(facts.links.join("\n"));
        await dialog.getByText("Is in the list already").waitFor();
        await dialog.getByRole("button", { name: "Add 2" }).click();
        await dialog.waitFor({ state: "detached" });
        for (const name of facts.names) await row(page, name).waitFor();
        clean(page);
    };

    scenarios.pasted = async (browser) => {
        const page = await open(browser, facts);
        await page.getByText("No torrents yet.").waitFor();
        const search = page.locator("#search");
        const dialog = page.getByRole("dialog", { name: "Add torrents" });
        const copy = async (text) => {
            await search.fill(text);
            await page.keyboard.press("Control+a");
            await page.keyboard.press("Control+x");
            assert.equal(await search.inputValue(), "");
        };
        const add = async (button, names) => {
            for (const name of names) await dialog.getByText(name).waitFor();
            await dialog.getByRole("button", { name: button, exact: true }).click();
            await dialog.waitFor({ state: "detached" });
            for (const name of names) await row(page, name).waitFor();
        };
        await copy(facts.links[0]);
        await page.keyboard.press("Control+v"); // into the field that has the focus
        assert.equal(await search.inputValue(), facts.links[0]);
        await page.keyboard.press("Escape");
        await page.keyboard.press("Control+v");
        await add("Add", facts.names.slice(0, 1));
        await copy(facts.links.slice(1).join(" "));
        await page.locator(".list").focus();
        await page.keyboard.press("a");
        await focused(dialog.getByLabel("Magnet links"));
        await page.keyboard.press("Control+v");
        await add("Add 2", facts.names.slice(1));
        await copy("no link at all");
        await page.locator(".list").focus();
        await page.keyboard.press("Control+v");
        assert.equal(await dialog.count(), 0);
        clean(page);
    };

    const failures = async () => {
        const answer = await fetch(`${facts.url}/api/v1/torrents/${facts.number}/trackers`, { headers: { Authorization: "Bearer " + facts.token } });
        return (await answer.json()).trackers[0].failures;
    };

    async function trackers(page) {
        await row(page, facts.torrentName).dblclick();
        await page.getByRole("tab", { name: "Trackers" }).click();
        return page.locator(".table-frame tbody tr");
    }

    // Each failure makes it be left alone two and a half times as long, but by who asks by hand.
    scenarios.askedInVain = async (browser) => {
        const page = await open(browser, facts);
        const line = await trackers(page);
        await line.getByText("Fails").waitFor();
        for (let turn = 0; turn < 5; turn++) {
            const before = await failures();
            await (await menu(page, facts.torrentName, "Ask trackers now")).click();
            while (await failures() === before) await page.waitForTimeout(50);
        }
        await line.getByText(/^in \d+\smin/).waitFor();
        clean(page);
    };

    scenarios.askedAgain = async (browser) => {
        const page = await open(browser, facts);
        const line = await trackers(page);
        await line.getByText("Fails").waitFor();
        await (await menu(page, facts.torrentName, "Ask trackers now")).click();
        await line.getByText("Works").waitFor();
        assert.equal(await failures(), 0);
        await accessibleInBoth(page, "a tracker that works");
        clean(page);
    };

    scenarios.moved = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).getByText("100").waitFor();
        await (await menu(page, facts.torrentName, "Move…")).click();
        let dialog = page.getByRole("dialog", { name: "Move" });
        const folder = dialog.getByLabel("Folder on the daemon's machine");
        await dialog.getByText("free").waitFor();
        await accessibleInBoth(page, "move");
        await folder.fill(facts.to);
        await dialog.getByRole("button", { name: "Move", exact: true }).click();
        await dialog.waitFor({ state: "detached" });

        await (await menu(page, facts.torrentName, "Rename…")).click();
        dialog = page.getByRole("dialog", { name: "Rename" });
        assert.equal(await dialog.getByLabel("Name").inputValue(), facts.torrentName);
        await accessibleInBoth(page, "rename");
        await dialog.getByLabel("Name").fill(facts.renamed);
        await page.keyboard.press("Enter");
        await dialog.waitFor({ state: "detached" });
        await row(page, facts.renamed).waitFor();
        clean(page);
    };

    scenarios.checked = async (browser) => {
        const page = await open(browser, facts);
        await row(page, facts.torrentName).getByText("100").waitFor();
        await (await menu(page, facts.torrentName, "Check the files again")).click();
        await row(page, facts.torrentName).locator(".c-progress", { hasText: facts.share }).waitFor();
        clean(page);
    };

    scenarios.stopped = async (browser) => {
        const page = await open(browser, facts);
        await page.locator(".rows .row .name").nth(1).waitFor();
        await row(page, facts.torrentName).click();
        await page.keyboard.press("p");
        await row(page, facts.torrentName).locator(".c-status", { hasText: "Stopped" }).waitFor();
        assert.equal(await row(page, facts.other).locator(".c-status", { hasText: "Stopped" }).count(), 0);
        await page.keyboard.press("Control+a");
        await selected(page, 2);
        await page.keyboard.press("p"); // one of them runs: all stop
        await row(page, facts.other).locator(".c-status", { hasText: "Stopped" }).waitFor();
        await page.keyboard.press("Escape");
        await row(page, facts.other).click();
        await page.keyboard.press("p");
        await row(page, facts.other).locator(".c-status", { hasNotText: "Stopped" }).waitFor();
        clean(page);
    };

    return scenarios;
}
