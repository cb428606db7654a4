// SPDX-License-Identifier: MIT
// Runs before anything is drawn: the theme that a person chose. When the frame of the page, which is in
// page.html as the build made it, is on its way to the screen, it takes the token and asks the first
// question; the page's script has its turn when the frame is seen. Either would take processors from
// those that draw it, and each waits for others' processes: storage, network.
import { FIRST_LIST, headersFor, OPTIONS, THEME_KEY, TOKEN_KEY } from "./early";

function kept(storage: "localStorage" | "sessionStorage", key: string) {
    try {
        return window[storage].getItem(key) ?? "";
    } catch {
        return ""; // a browser that keeps nothing asks again each time
    }
}

const theme = kept("localStorage", THEME_KEY);
if (theme === "light" || theme === "dark") document.documentElement.setAttribute("data-theme", theme);

// What is seen can be pressed: `main` does it again when it can be heard.
globalThis.press = (event) => { globalThis.pressed = event.target; };
addEventListener("click", globalThis.press, true);

let asked = false;
function ask() {
    if (asked) return;
    asked = true;
    // `freshet web` opens the page with the token behind '#', which no server ever sees.
    const given = /^#token=([\w-]{1,256})$/.exec(location.hash);
    const token = given ? given[1]! : kept("sessionStorage", TOKEN_KEY);
    if (given) {
        history.replaceState(null, "", location.pathname);
        try {
            sessionStorage.setItem(TOKEN_KEY, token);
        } catch { /* as above */ }
    }
    const stop = new AbortController();
    const answer = fetch("/api/v1" + FIRST_LIST, { headers: headersFor(token), ...OPTIONS, signal: stop.signal });
    answer.catch(() => undefined); // whoever takes it tells
    globalThis.early = { token, path: FIRST_LIST, answer, stop };
}

let begun = false;
function begin() {
    if (begun) return;
    begun = true;
    ask();
    const script = document.createElement("script");
    script.type = "module";
    script.src = "app.js";
    document.head.append(script);
}

// Nothing is drawn of a page that is not seen, and then nothing is to be waited for.
if (document.hidden) begin();
requestAnimationFrame(() => setTimeout(ask)); // none comes before the whole page is there: "expect"
try {
    new PerformanceObserver(begin).observe({ type: "paint", buffered: true });
    requestAnimationFrame(() => setTimeout(begin, 200));
} catch {
    requestAnimationFrame(() => setTimeout(begin));
}
setTimeout(begin, 1000);
