# SPDX-License-Identifier: MIT
"""What the README shows is what the program prints, where that is the same each time."""
import textwrap

from conftest import ROOT


def test_readme_shows_the_simulation_as_it_is(freshet):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = "$ freshet sim two_peers --seed 7\n"
    block = readme.split("    " + command)[1].split("\n\n##")[0]
    shown = textwrap.dedent(block).strip().splitlines()
    printed = freshet("sim", "two_peers", "--seed", "7").stdout.strip().splitlines()
    assert [line.rstrip() for line in shown] == [line.rstrip() for line in printed]
