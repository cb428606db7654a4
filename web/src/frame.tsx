// SPDX-License-Identifier: MIT
// For the build: the page as it is before the daemon has answered, as HTML.
import { renderToString } from "preact-render-to-string";
import { App } from "./app";

export default () => renderToString(<App />);
