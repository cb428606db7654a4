# SPDX-License-Identifier: MIT
"""The demo, on a small folder: a tracker, a seed, three peers, copies that are the same."""
import re
import subprocess
import sys

import pytest

from conftest import PROGRAM, ROOT


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "Kleine Größe"
    (folder / "inner").mkdir(parents=True)
    (folder / "empty").touch()
    (folder / "inner" / "noten – Dvořák.bin").write_bytes(bytes(range(256)) * 16 * 1024)
    (folder / "inner" / "b.bin").write_bytes(b"freshet " * 300_001)
    (folder / "small.txt").write_text("x")
    return folder


def run_demo(tmp_path, source):
    return subprocess.run([sys.executable, "-B", ROOT / "tools/demo.py", PROGRAM,
                           tmp_path / "work", source], capture_output=True, text=True,
                          check=False, timeout=240, stdin=subprocess.DEVNULL)


def test_the_demo_ends_with_three_copies_and_a_matrix(tmp_path, source):
    result = run_demo(tmp_path, source)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 copies of 4 files are the same" in result.stdout
    rows = dict(re.findall(r"^  (Seed|Ada|Bea|Cem|got) +(.*)$", result.stdout, re.M))
    assert set(rows) == {"Seed", "Ada", "Bea", "Cem", "got"}
    assert rows["Ada"].split()[0] == "-"
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / (1 << 20)
    for got in rows["got"].split()[:3]:
        assert float(got) >= size - 0.1


def test_the_demo_says_what_is_wrong_with_its_source(tmp_path):
    result = run_demo(tmp_path, tmp_path / "nowhere")
    assert result.returncode == 1
    assert "is no folder" in result.stderr


def test_the_demo_without_a_tracker_ends_with_everything_everywhere(tmp_path):
    result = subprocess.run([sys.executable, "-B", ROOT / "tools/demo_trackerless.py", PROGRAM,
                             tmp_path / "work"], capture_output=True, text=True, check=False,
                            timeout=300, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "freshet has everything after" in result.stdout
    assert "libtorrent has everything after" in result.stdout
    words = re.search(r"^ +(user .*)$", result.stdout, re.M).group(1).split()
    known = {row[0]: dict(zip(words, row[1:])) for row in
             map(str.split, re.findall(r"^  (?:first|late|told) .*$", result.stdout, re.M))}
    assert set(known) == {"first", "late", "told"}
    assert int(known["late"]["dht"]) > 0
    assert int(known["told"]["exchange"]) > 0
    assert (known["told"]["dht"], known["told"]["tracker"]) == ("-", "-")
