// SPDX-License-Identifier: MIT
// A file of its own, which is fetched when something is to be plotted: to load it costs as much as
// all the rest of the page.
export { default } from "uplot";
