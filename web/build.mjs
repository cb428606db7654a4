// SPDX-License-Identifier: MIT
// Builds web/dist: the page, its script and the policy that both keep; the same bytes on every
// machine. What the first paint needs stands in the page: all looks, the frame of the page as it is
// before the daemon has answered, and a script that asks for the list. The policy allows these two
// inline parts by their hashes and nothing else.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = process.env.FRESHET_WEB_DIST ?? join(here, "dist");
mkdirSync(dist, { recursive: true });
const common = {
    absWorkingDir: here, bundle: true, jsx: "automatic", jsxImportSource: "preact", legalComments: "none", logLevel: "warning",
};
const shipped = { ...common, minify: true, target: ["chrome109", "firefox115", "safari16"], charset: "ascii" };
const text = async (options) => (await build({ ...shipped, ...options, write: false })).outputFiles[0].text.trim();

await build({
    ...shipped, entryPoints: { app: "src/main.tsx", draw: "src/draw.ts" }, outdir: dist, format: "esm", external: ["./draw.js"],
    banner: { js: "// SPDX-License-Identifier: MIT" },
});
const first = await text({ entryPoints: ["src/first.ts"], format: "iife" });
const style = await text({ stdin: { contents: '@import "uplot/dist/uPlot.min.css"; @import "./src/page.css";', resolveDir: here, loader: "css" } });

// As much of a browser as the modules touch while they load.
Object.assign(globalThis, {
    matchMedia: () => ({ matches: false, addEventListener() {} }),
});
async function render() {
    const scratch = mkdtempSync(join(tmpdir(), "freshet-frame-"));
    try {
        const outfile = join(scratch, "frame.mjs");
        await build({ ...common, entryPoints: ["src/frame.tsx"], format: "esm", external: ["./draw.js"], platform: "neutral", mainFields: ["module", "main"], outfile });
        return (await import(pathToFileURL(outfile))).default();
    } finally {
        rmSync(scratch, { recursive: true });
    }
}

let page = readFileSync(join(here, "src/page.html"), "utf8");
for (const [name, part] of Object.entries({ first, style, frame: await render() })) {
    if (/<\/(script|style)/i.test(part) || !page.includes(`<!-- ${name} -->`)) throw new Error(name + " does not fit into the page");
    page = page.replace(`<!-- ${name} -->`, () => part);
}
const hash = (part) => "'sha256-" + createHash("sha256").update(part).digest("base64") + "'";
writeFileSync(join(dist, "index.html"), page);
writeFileSync(join(dist, "policy.txt"), [
    "default-src 'none'", "script-src 'self' " + hash(first), "style-src " + hash(style), "connect-src 'self'", "img-src 'self' data:", "media-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join("; ") + "\n");
