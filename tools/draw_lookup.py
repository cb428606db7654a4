#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what `freshet dht lookup --trace` printed as an SVG: a column for each node asked, in the
order of asking, as high as it is far from the target; green ones told of peers.
Usage: draw_lookup.py TARGET_HEX <TRACE >SVG"""
import re
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 380, 70, 46, 62
LINE = re.compile(r"^\s*([\d.]+) s\s+(ask|answer)\s+2\^(\d+)\s+([0-9a-f]{40})\s+(\S+)(.*)$")


def read(lines):
    """{id: facts}, in the order of asking."""
    nodes = {}
    for line in lines:
        match = LINE.match(line)
        if not match:
            continue
        _, kind, distance, identity, _, rest = match.groups()
        node = nodes.setdefault(identity, {"order": len(nodes), "distance": int(distance),
                                           "answered": False, "peers": 0})
        if kind == "answer":
            peers = re.search(r"(\d+) peers", rest)
            node["answered"] = True
            node["peers"] = int(peers.group(1)) if peers else 0
    return nodes


def draw(target, nodes):
    far = max(node["distance"] for node in nodes.values()) + 1
    near = min(node["distance"] for node in nodes.values()) - 1
    step = (WIDTH - LEFT - 30) / len(nodes)
    scale = (HEIGHT - TOP - BOTTOM) / (far - near)

    def text(x, y, words, anchor="middle", size=13, fill="black"):
        return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
                f'fill="{fill}">{words}</text>')

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           text(LEFT, 24, f"Distance to {target[:8]}… of each node that is asked", "start", 15)]
    for bits in range(near + 1, far, 2):
        y = TOP + (far - bits) * scale
        out += [f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 20}" y2="{y:.1f}" stroke="#ddd"/>',
                text(LEFT - 8, y + 4, f"2^{bits}", "end")]
    for identity, node in nodes.items():
        x = LEFT + (node["order"] + 0.5) * step
        y = TOP + (far - node["distance"]) * scale
        fill = "#2a2" if node["peers"] else "#27c" if node["answered"] else "#999"
        out += [f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" '
                f'stroke="{fill}" stroke-opacity="0.35" stroke-width="3"/>',
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{fill}"/>',
                text(x, HEIGHT - BOTTOM + 16, identity[:4], size=10)]
    out += [text(LEFT, HEIGHT - 24, "in the order of asking, by the beginning of their ids", "start"),
            f'<circle cx="{LEFT + 6}" cy="{HEIGHT - 9}" r="6" fill="#2a2"/>',
            text(LEFT + 18, HEIGHT - 4, "told of peers", "start"),
            f'<circle cx="{LEFT + 126}" cy="{HEIGHT - 9}" r="6" fill="#27c"/>',
            text(LEFT + 138, HEIGHT - 4, "named nearer nodes only", "start"), '</svg>']
    return "\n".join(out) + "\n"


def main():
    nodes = read(sys.stdin)
    if not nodes:
        sys.exit("draw_lookup: there is no trace on standard input")
    sys.stdout.write(draw(sys.argv[1], nodes))


if __name__ == "__main__":
    main()
