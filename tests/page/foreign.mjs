// SPDX-License-Identifier: MIT
// Pages that are not ours ask the daemon, in a browser that a person uses: what they can, nothing else.
import assert from "node:assert/strict";
import { clean, launch, names, open, row } from "./browser.mjs";

// All that a script may ask without leave, and with: what came of it, as the script sees it.
function asks(base, token) {
    const bearer = { Authorization: "Bearer " + token, "X-Requested-With": "x", "Content-Type": "application/json" };
    const method = JSON.stringify({ method: "session-set", arguments: { "alt-speed-enabled": true } });
    const change = JSON.stringify({ alt_enabled: true });
    const plain = { "Content-Type": "text/plain" };
    return {
        page: [base + "/", {}],
        list: [base + "/api/v1/torrents", { headers: bearer }],
        settings: [base + "/api/v1/settings", { headers: bearer }],
        events: [base + "/api/v1/events", { headers: bearer }],
        patch: [base + "/api/v1/settings", { method: "PATCH", headers: bearer, body: change }],
        remove: [base + "/api/v1/torrents/1", { method: "DELETE", headers: bearer }],
        metrics: [base + "/metrics", { headers: bearer }],
        where: [base + "/local", { headers: bearer }],
        rpc: [base + "/transmission/rpc", { method: "POST", headers: { Authorization: bearer.Authorization }, body: method }],
        // Without leave to be asked for: what a form could send as well.
        simpleList: [base + "/api/v1/torrents", {}],
        simplePost: [base + "/api/v1/torrents/remove", { method: "POST", headers: plain, body: '{"ids":[1]}' }],
        simpleAdd: [base + "/api/v1/torrents", { method: "POST", headers: plain, body: JSON.stringify({ magnet: "magnet:?xt=urn:btih:" + "1".repeat(40) }) }],
        simpleRpc: [base + "/transmission/rpc", { method: "POST", headers: plain, body: method }],
        withCookies: [base + "/api/v1/torrents", { credentials: "include" }],
        postWithCookies: [base + "/transmission/rpc", { method: "POST", headers: plain, body: method, credentials: "include" }],
    };
}

// Of all, or of those that show the token: { what: [status or "refused by the browser", words, session id] }
function askAll(page, base, token, shown = () => true) {
    return page.evaluate(async (all) => {
        const said = {};
        for (const [what, [url, options]] of Object.entries(all)) {
            said[what] = await fetch(url, options).then(
                // What has no end, an answer with events, is not read to it.
                async (answer) => [answer.status, what === "events" && answer.ok ? "" : await answer.text(), answer.headers.get("X-Transmission-Session-Id")],
                () => ["refused by the browser", "", null]);
        }
        return said;
    }, Object.fromEntries(Object.entries(asks(base, token)).filter(shown)));
}

// A page with this address that may do what it likes: the policy that came with it binds nobody who made
// it himself. It must come from this machine, else the browser refuses before anybody is asked.
async function attacker(browser, url, status) {
    const page = await (await browser.newContext({ bypassCSP: true })).newPage();
    const answer = await page.goto(url + "/attack");
    assert.equal(answer.status(), status);
    assert.equal(await page.evaluate(() => origin), url);
    assert.equal(await page.locator("#page, script").count(), 0);
    return page;
}

export function foreignScenarios(facts) {
    const scenarios = {};
    const port = new URL(facts.url).port;

    // evil.test was the attacker's own server when its page was loaded, and leads to ours from then on: for
    // the browser both are of one origin.
    scenarios.rebinding = async () => {
        const browser = await launch(["--host-resolver-rules=MAP evil.test 127.0.0.1"]);
        try {
            const evil = `http://evil.test:${port}`;
            const page = await attacker(browser, evil, 421);
            for (const [what, [status, words, session]] of Object.entries(await askAll(page, evil, facts.token))) {
                assert.ok(status === 421 || status === 403, `${what}: ${status}`);
                assert.ok(!words.includes(facts.torrentName) && !words.includes("<script"), what);
                assert.equal(session, null, what);
            }
            // It is the name that is refused: from an address of ours the same goes through.
            const own = await attacker(browser, facts.url, 404);
            const said = await askAll(own, facts.url, facts.token, ([, [, options]]) => options.headers?.Authorization);
            assert.equal(said.list[0], 200);
            assert.ok(said.list[1].includes(facts.torrentName));
            assert.equal(said.patch[0], 200);
            assert.equal(said.rpc[0], 409);
            assert.equal(said.remove[0], 200);
        } finally {
            await browser.close();
        }
    };

    // Pages of others: of another site, and of another port of this machine. They know the token; or the
    // browser knows it, and shows it of itself.
    scenarios.others = async () => {
        const browser = await launch(["--host-resolver-rules=MAP other.test 127.0.0.1"]);
        const credentials = { username: "me", password: facts.token };
        try {
            for (const host of ["localhost", "other.test"]) {
                for (const known of [undefined, credentials]) {
                    const where = `${host} ${known ? "with" : "without"} a password that the browser knows`;
                    const context = await browser.newContext(known ? { httpCredentials: known } : {});
                    const page = await context.newPage();
                    await page.goto(`http://${host}:${facts.other}/`);
                    for (const [what, [status]] of Object.entries(await askAll(page, facts.url, facts.token)))
                        assert.equal(status, "refused by the browser", `${where}: ${what}`);
                    await page.evaluate(async (all) => {
                        for (const [url, options] of all)
                            await fetch(url, { ...options, mode: "no-cors", credentials: "include" }).catch(() => undefined);
                    }, Object.values(asks(facts.url, facts.token)).filter(([, options]) => !options.method || options.method === "POST"));
                    // Shown, run or drawn it is neither.
                    const seen = await page.evaluate(async (base) => {
                        const load = (element, url) => new Promise((resolve) => {
                            element.onload = () => resolve("loaded");
                            element.onerror = () => resolve("failed");
                            element.src = url;
                            document.body.append(element);
                        });
                        return [await load(document.createElement("script"), base + "/api/v1/torrents"),
                            await load(document.createElement("img"), base + "/api/v1/torrents")];
                    }, facts.url);
                    assert.deepEqual(seen, ["failed", "failed"], where);
                    await page.evaluate((base) => {
                        const frame = document.createElement("iframe");
                        frame.src = base + "/";
                        document.body.append(frame);
                        return new Promise((resolve) => { frame.onload = resolve; });
                    }, facts.url);
                    const inner = await page.frames()[1].evaluate(() => document.querySelector("#page") === null);
                    assert.ok(inner, where + ": it lets itself be framed");

                    for (const [path, name, value] of facts.forms) {
                        await page.goto(`http://${host}:${facts.other}/`);
                        const answered = page.waitForEvent("framenavigated");
                        await page.evaluate(([action, text, rest]) => {
                            const form = document.createElement("form");
                            Object.assign(form, { method: "post", enctype: "text/plain", action });
                            const input = document.createElement("input");
                            Object.assign(input, { name: text, value: rest });
                            form.append(input);
                            document.body.append(form);
                            form.submit();
                        }, [facts.url + path, name, value]);
                        await answered;
                        await page.waitForLoadState();
                        assert.ok(!(await page.locator("body").innerText()).includes(facts.torrentName), `${where}: ${path}`);
                    }
                    await context.close();
                }
            }
        } finally {
            await browser.close();
        }
    };

    // Who has no token, or a wrong one, sees nothing, whatever he asks.
    scenarios.stranger = async (browser) => {
        for (const token of ["", "not the token but long enough for one"]) {
            const page = await open(browser, facts, { token, expected: [/40[13]|429/] });
            await page.locator("#token").waitFor();
            assert.deepEqual(await names(page), []);
            assert.equal(await row(page, facts.torrentName).count(), 0);
            assert.ok(!(await page.content()).includes(facts.torrentName));
            clean(page);
        }
        const page = await open(browser, facts, { token: "", expected: [/40[13]|429/] });
        await page.locator("#token").waitFor();
        for (const secret of [null, "not the token either, and long"]) {
            const said = await page.evaluate(async ([all, shown]) => {
                const found = {};
                for (const [what, [url, options]] of Object.entries(all)) {
                    const headers = { ...options.headers, "X-Requested-With": "x" };
                    delete headers.Authorization;
                    if (shown) headers.Authorization = "Bearer " + shown;
                    const answer = await fetch(url, { ...options, headers });
                    found[what] = [answer.status, await answer.text(), answer.headers.get("X-Transmission-Session-Id")];
                }
                return found;
            }, [asks(facts.url, ""), secret]);
            delete said.page;
            for (const [what, [status, words, session]] of Object.entries(said)) {
                // Who went on guessing is told to wait.
                assert.ok(status === 401 || (secret && status === 429), `${what}: ${status}`);
                assert.ok(!words.includes(facts.torrentName), what);
                assert.equal(session, null, what);
            }
        }
    };

    return scenarios;
}
