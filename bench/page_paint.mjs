// SPDX-License-Identifier: MIT
// Where the time to the page's first paint goes, in Chromium: visits of one or more daemons and of
// an empty page (the floor) take turns; medians. Usage: page_paint.mjs '{"visits": 15, "sites":
// {"name": {"url": "http://...", "token": "..."}}}'
import { createServer } from "node:http";
import { launch, open } from "../tests/page/browser.mjs";

const { visits = 15, sites } = JSON.parse(process.argv[2]);
const server = createServer((_, answer) => answer.end("<!doctype html><title>empty</title><p>empty"));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
sites.floor = { url: `http://127.0.0.1:${server.address().port}`, token: "" };

// Runs before the page does: when was the first row drawn, which tasks were long.
function watch() {
    window.seen = { row: 0, long: [] };
    new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
        window.seen.long.push([Math.round(entry.startTime), entry.duration]))).observe({ type: "longtask", buffered: true });
    const looks = new MutationObserver(() => {
        if (window.seen.inDom || !document.querySelector(".rows .row[data-id]")) return;
        window.seen.inDom = performance.now();
        looks.disconnect();
        // The frame that holds it has been made when the next one begins.
        requestAnimationFrame(() => setTimeout(() => { window.seen.row = performance.now(); }));
    });
    looks.observe(document, { childList: true, subtree: true });
}

const browser = await launch();
const whole = await browser.newBrowserCDPSession();

// Processor time of the browser's processes, in milliseconds: what others on the machine do is not
// in it.
async function cpu() {
    const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
    return new Map(processInfo.map(({ id, type, cpuTime }) => [id, { type: type.replace(/.*\./, ""), ms: cpuTime * 1000 }]));
}

const found = {};
try {
    for (let visit = -1; visit < visits; visit++) {
        for (const [name, facts] of Object.entries(sites)) {
            const page = await open(browser, { ...facts, url: "data:," }, { token: "" });
            await page.addInitScript(watch);
            const session = await page.context().newCDPSession(page);
            await session.send("Performance.enable");
            await page.waitForTimeout(1500); // a browser at rest
            const before = (await session.send("Performance.getMetrics")).metrics;
            const spent = await cpu();
            await page.goto(facts.url + "/" + (facts.token ? "#token=" + facts.token : ""));
            if (name === "floor") await page.waitForTimeout(100);
            else await page.waitForFunction(() => window.seen.row > 0);
            const now = await cpu();
            const { metrics } = await session.send("Performance.getMetrics");
            const one = await page.evaluate(() => {
                const [way] = performance.getEntriesByType("navigation");
                const times = { "html begins": way.responseStart, "html ends": way.responseEnd, "dom interactive": way.domInteractive };
                for (const part of performance.getEntriesByType("resource")) {
                    const what = new URL(part.name).pathname.replace(/^.*\//, "");
                    if (!(what + " asked" in times)) { times[what + " asked"] = part.startTime; times[what + " ends"] = part.responseEnd; }
                }
                for (const paint of performance.getEntriesByType("paint")) times[paint.name] = paint.startTime;
                for (const mark of performance.getEntriesByType("mark")) times["mark " + mark.name] = mark.startTime;
                if (window.seen.row) { times["row in the document"] = window.seen.inDom; times["row drawn"] = window.seen.row; }
                times["long tasks"] = window.seen.long.reduce((sum, [, took]) => sum + took, 0);
                return times;
            });
            for (const key of ["ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration"]) {
                one[key] = 1000 * (metrics.find((m) => m.name === key).value - before.find((m) => m.name === key).value);
            }
            for (const [id, { type, ms }] of now) one["CPU of " + type] = (one["CPU of " + type] ?? 0) + ms - (spent.get(id)?.ms ?? 0);
            for (const key of ["LayoutCount", "RecalcStyleCount", "Nodes"]) one[key] = metrics.find((m) => m.name === key).value;
            await page.context().close();
            if (visit < 0) continue;
            for (const [key, value] of Object.entries(one)) ((found[key] ??= {})[name] ??= []).push(value);
        }
    }
} finally {
    await browser.close();
    server.close();
}
const names = Object.keys(sites);
const middle = (list, part = 0.5) => list ? [...list].sort((a, b) => a - b)[Math.floor(list.length * part)].toFixed(1) : "-";
console.log("".padEnd(28) + names.map((name) => name.padStart(18)).join(""));
const order = Object.entries(found).sort((a, b) => Number(/Duration|Count|Nodes|long|CPU/.test(a[0])) - Number(/Duration|Count|Nodes|long|CPU/.test(b[0]))
    || middle(a[1][names[0]]) - middle(b[1][names[0]]));
for (const [key, values] of order) {
    console.log(key.padEnd(28) + names.map((name) => `${middle(values[name])} (${middle(values[name], 0.1)})`.padStart(18)).join(""));
}
