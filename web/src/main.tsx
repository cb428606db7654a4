// SPDX-License-Identifier: MIT
import "uplot/dist/uPlot.min.css";
import "./page.css";
import "./theme";
import { render } from "preact";
import "@preact/signals";
import { App } from "./app";
import { begin } from "./state";

render(<App />, document.getElementById("page")!);
begin();
