// SPDX-License-Identifier: MIT
// Builds web/dist: three files, nothing inline, the same bytes on every machine.
import { build } from "esbuild";
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = process.env.FRESHET_WEB_DIST ?? join(here, "dist");
mkdirSync(dist, { recursive: true });
await build({
    absWorkingDir: here,
    entryPoints: { app: "src/main.tsx" },
    outdir: dist,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome109", "firefox115", "safari16"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "ascii",
    banner: { js: "// SPDX-License-Identifier: MIT", css: "/* SPDX-License-Identifier: MIT */" },
    logLevel: "warning",
});
copyFileSync(join(here, "src/page.html"), join(dist, "index.html"));
