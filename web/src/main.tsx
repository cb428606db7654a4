// SPDX-License-Identifier: MIT
import { hydrate } from "preact";
import "@preact/signals";
import { App } from "./app";
import { begin } from "./state";
import { followTheme } from "./theme";

// The frame of the page is there; what a person chose differently is drawn after it is taken over.
hydrate(<App />, document.getElementById("page")!);
followTheme();
begin();
