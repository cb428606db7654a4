// SPDX-License-Identifier: MIT
// The page in Chromium over a daemon with many torrents: first paint and first row of several visits,
// and the time between frames while the list is scrolled from end to end. Prints one line of JSON.
import { DESKTOP, launch, open } from "../tests/page/browser.mjs";

const REST_MS = 1500;
const facts = JSON.parse(process.argv[2]);
const browser = await launch();

// A new visitor's page, once it has a row: nothing kept of the visits before.
async function visited() {
    const page = await (await browser.newContext({ viewport: DESKTOP })).newPage(); // an empty tab
    page.setDefaultTimeout(60000);
    await page.addInitScript(() => {
        const looks = new MutationObserver(() => {
            if (!document.querySelector(".rows .row[data-id]")) return;
            looks.disconnect();
            // The frame that holds it has been made.
            requestAnimationFrame(() => setTimeout(() => { window.firstRow = performance.now(); }));
        });
        looks.observe(document, { childList: true, subtree: true });
    });
    // A browser at rest, as people have: one that has just opened a window has its processors full.
    await page.waitForTimeout(REST_MS);
    await page.goto(facts.url + "/#token=" + facts.token);
    await page.waitForFunction(() => window.firstRow);
    return page;
}

try {
    // A browser that has just begun is busy with itself: the first visitor is not looked at.
    const first = await open(browser, facts);
    await first.locator(".rows .row").first().waitFor();
    await first.context().close();
    const paints = [], rows = [];
    let page;
    for (let visit = 0; visit < facts.visits; visit++) {
        if (page) await page.context().close();
        page = await visited();
        rows.push(await page.evaluate(() => window.firstRow));
        paints.push(await page.evaluate(() =>
            performance.getEntriesByType("paint").find((entry) => entry.name === "first-contentful-paint").startTime));
    }
    await page.waitForTimeout(1000);
    const gaps = await page.evaluate(async () => {
        let box = document.querySelector(".rows .row");
        while (box && !(box.scrollHeight > box.clientHeight + 1000 && /auto|scroll/.test(getComputedStyle(box).overflowY))) box = box.parentElement;
        if (!box) throw new Error("nothing scrolls");
        const found = [];
        let last = await new Promise(requestAnimationFrame);
        const begun = last;
        const span = box.scrollHeight - box.clientHeight;
        // Down slowly, as a wheel does, then over the whole list and back.
        while (last - begun < 8000) {
            const at = last - begun;
            box.scrollTop = at < 3000 ? at * 3 : span * Math.abs(Math.sin((at - 3000) / 800));
            const now = await new Promise(requestAnimationFrame);
            found.push(now - last);
            last = now;
        }
        return found;
    });
    gaps.sort((a, b) => a - b);
    console.log(JSON.stringify({ paints, rows, longest: gaps.at(-1), median: gaps[gaps.length >> 1], count: gaps.length, p99: gaps[Math.floor(gaps.length * 0.99)] }));
} finally {
    await browser.close();
}
