// SPDX-License-Identifier: MIT
// Speed over time.
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { rate } from "./format";
import { colour, isDark } from "./theme";

// Steps of the axis that are round in KiB and MiB.
const STEPS = [0, 1, 2, 3].flatMap((power) => [1, 2, 5, 10, 20, 50, 100, 200, 500].map((step) => step * 1024 ** power));

export interface Samples { time: number[]; down: number[]; up: number[] }

export function SpeedPlot({ samples, tick, height }: { samples: Samples; tick: number; height: number }) {
    const box = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const dark = isDark.value;
    useEffect(() => {
        const element = box.current!;
        const line = colour("--line");
        const axis = { stroke: colour("--soft"), grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
        const series = (label: string, name: string) => ({
            label, stroke: colour(name), width: 1.5, fill: colour(name) + "22", points: { show: false },
        });
        let gone = false;
        const options: uPlot.Options = {
            width: Math.max(100, element.clientWidth), height,
            cursor: { show: false }, legend: { show: false },
            padding: [8, 8, 0, 0],
            scales: {
                // At least a minute, so that the first seconds look like what they are.
                x: { range: (_plot, low, high) => [Math.min(low ?? 0, (high ?? 0) - 60), high ?? 0] },
                y: { range: (_plot, _low, high) => [0, Math.max(16 * 1024, (high ?? 0) * 1.15)] },
            },
            axes: [
                { ...axis, size: 22, space: 70 },
                { ...axis, size: 76, space: 32, incrs: STEPS, values: (_plot, values) => values.map((value) => value ? rate(value) : "") },
            ],
            series: [{}, series("Down", "--down"), series("Up", "--up")],
        };
        import("./draw.js").then(({ default: Plot }) => {
            if (!gone) plot.current = new Plot(options, [samples.time, samples.down, samples.up], element);
        }, () => undefined); // the figures below are there without it
        const observer = new ResizeObserver(() => {
            if (element.clientWidth > 0) plot.current?.setSize({ width: element.clientWidth, height });
        });
        observer.observe(element);
        return () => {
            gone = true;
            observer.disconnect();
            plot.current?.destroy();
            plot.current = null;
        };
    }, [samples, dark, height]);
    useEffect(() => { plot.current?.setData([samples.time, samples.down, samples.up]); }, [tick]);
    const down = samples.down.at(-1) ?? 0, up = samples.up.at(-1) ?? 0;
    return (
        <figure class="plot">
            <div ref={box} aria-hidden="true" />
            <figcaption><span class="key down">Down {rate(down)}</span><span class="key up">Up {rate(up)}</span></figcaption>
        </figure>
    );
}
