// SPDX-License-Identifier: MIT
// Debian's Chromium, driven by playwright-core: pages that notice whatever they should not do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const need = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = need("playwright-core");
const axeSource = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");

export async function launch(more = []) {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more],
    });
}

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

// A page with the token. Errors, alerts, foreign requests and refusals of the policy end up in
// `page.faults`, which the scenario's end looks at; `expected` are patterns of console errors that the
// scenario provokes.
export async function open(browser, facts, { size = DESKTOP, scheme = "light", token = facts.token, expected = [] } = {}) {
    const phone = size.width < 500;
    const context = await browser.newContext({
        viewport: size, colorScheme: scheme, hasTouch: phone, isMobile: phone, locale: "en-GB", timezoneId: "UTC",
    });
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push("error: " + error.message));
    page.on("dialog", (dialog) => { page.faults.push("alert: " + dialog.message()); void dialog.dismiss(); });
    page.on("console", (message) => {
        const text = message.text();
        if (message.type() === "error" && !expected.some((pattern) => pattern.test(text))) page.faults.push("console: " + text);
    });
    page.on("request", (request) => {
        const to = request.url();
        if (!to.startsWith(facts.url + "/") && !to.startsWith("data:")) page.faults.push("request: " + to);
    });
    page.setDefaultTimeout(60000);
    await page.goto(facts.url + "/" + (token ? "#token=" + token : ""));
    return page;
}

export function clean(page) {
    assert.deepEqual(page.faults, []);
}

export const row = (page, name) => page.locator(".rows .row", { has: page.locator(`.name:text-is(${JSON.stringify(name)})`) });

// Waits until the keyboard is there: the page puts it there after it has drawn.
export async function focused(locator) {
    await locator.page().waitForFunction((element) => element === document.activeElement, await locator.elementHandle());
}

export async function names(page) {
    return page.locator(".rows .row .c-name .name").allTextContents();
}

// No name has become an element or run: nothing is there that the page did not put there.
export async function innocent(page, where) {
    const found = await page.evaluate((served) => ({
        ran: window.ran ?? null,
        elements: [...document.querySelectorAll("script, iframe, object, embed, img, base, meta[http-equiv], link, form, style, video, audio, a")]
            .map((element) => element.outerHTML).filter((html) => !served.includes(html)).map((html) => html.slice(0, 120)),
        handlers: [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some((attribute) => /^on/i.test(attribute.name))).length,
    }), await (await fetch(new URL("/", page.url()))).text());
    assert.equal(found.ran, null, where);
    assert.equal(found.handlers, 0, where);
    const foreign = found.elements.filter((html) => !/^<script type="module" src="app.js">|^<form( method="dialog")?>/.test(html));
    assert.deepEqual(foreign, [], where);
    clean(page);
}

// Every rule that axe has for WCAG 2.2 AA, and its best practices.
export async function accessible(page, where) {
    await page.evaluate(axeSource);
    const found = await page.evaluate(async () => {
        const result = await window.axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        });
        return result.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? "")).join(" | ")}`);
    });
    assert.deepEqual(found, [], where);
}

// The same in the dark; the page was opened in the light.
export async function accessibleInBoth(page, where) {
    await accessible(page, where);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction(() => !document.getAnimations().some((one) => one instanceof CSSTransition));
    await accessible(page, where + ", dark");
    await page.emulateMedia({ colorScheme: "light" });
}
