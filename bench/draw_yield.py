#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws one run of bench_yield.py as an SVG: above the rate of each flow, below how long a packet
waits in the queue. Usage: draw_yield.py RESULT.json 'NAME OF THE RUN' >SVG"""
import html
import json
import sys

WIDTH, LEFT, RIGHT, TOP = 720, 58, 16, 58
PANEL, GAP = 150, 34
COLOURS = {"tcp": "#c33", "upload 1": "#27c", "upload 2": "#2a2", "delay_ms": "#555"}
LABELS = {"ledbat++": "freshet, LEDBAT++", "ledbat": "freshet, LEDBAT", "tcp": "freshet, TCP",
          "libtorrent": "libtorrent, uTP"}
WISHED_MS = {"ledbat++": 60, "ledbat": 100}
STEPS_A_POINT = 3


def text(x, y, words, anchor="middle", size=12, fill="black"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{fill}">{html.escape(words)}</text>')


def line(x1, y1, x2, y2, stroke="#ddd", extra=""):
    return (f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" '
            f'stroke="{stroke}" {extra}/>')


def points(run, column):
    """(second, mean of a few steps); seconds without a sample are left out."""
    at = run["samples"]["columns"].index(column)
    rows = run["samples"]["rows"]
    for start in range(0, len(rows), STEPS_A_POINT):
        values = [row[at] for row in rows[start:start + STEPS_A_POINT] if row[at] is not None]
        if values:
            yield rows[start][0], sum(values) / len(values)


def panel(run, top, columns, high, step, title):
    seconds = run["samples"]["rows"][-1][0]

    def x(second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / seconds

    def y(value):
        return top + PANEL * (1 - min(value, high) / high)

    out = [text(LEFT, top - 6, title, "start")]
    for value in range(0, high + 1, step):
        out += [line(LEFT, y(value), WIDTH - RIGHT, y(value)),
                text(LEFT - 6, y(value) + 4, str(value), "end")]
    for second in range(0, int(seconds) + 1, 10):
        out += [line(x(second), top, x(second), top + PANEL),
                text(x(second), top + PANEL + 14, f"{second} s", size=11)]
    wished = WISHED_MS.get(run["uploads"][0]) if run["uploads"] else None
    if wished and columns == ["delay_ms"]:
        out.append(line(LEFT, y(wished), WIDTH - RIGHT, y(wished), "#e90",
                        'stroke-dasharray="6 4"'))
        out.append(text(WIDTH - RIGHT, y(wished) - 4, f"aim: {wished} ms", "end", 11, "#a60"))
    for column in columns:
        path = " ".join(f"{x(second):.1f},{y(value):.1f}" for second, value in points(run, column))
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[column]}" '
                   'stroke-width="1.6"/>')
    return out


def label(run, column):
    if column == "tcp":
        return f"TCP ({run['tcp']})"
    number = int(column.split()[1])
    return LABELS[run["uploads"][number - 1]] + (f", {number}" if len(run["uploads"]) > 1 else "")


def draw(result, run):
    present = run["samples"]["columns"][1:-1]
    flows = [name for name in ("tcp", "upload 1", "upload 2") if name in present]
    top = (result["rate_bits_per_s"] + 3_999_999) // 4_000_000 * 4
    height = TOP + 2 * PANEL + GAP + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           'font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           text(LEFT, 20, run["name"], "start", 15)]
    x = WIDTH - RIGHT
    for column in reversed(flows):
        words = label(run, column)
        out.append(text(x, 20, words, "end", fill=COLOURS[column]))
        x -= 7 * len(words) + 14
    out += panel(run, TOP, flows, top, 4, "Mbit/s")
    out += panel(run, TOP + PANEL + GAP, ["delay_ms"], result["queue_ms"] + 50, 50,
                 "ms in the queue")
    return out + ["</svg>"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    for run in result["runs"]:
        if run["name"] == sys.argv[2] and "samples" in run:
            print("\n".join(draw(result, run)))
            return 0
    print(f"no run of that name; there are: {[run['name'] for run in result['runs']]}",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
