# SPDX-License-Identifier: MIT
"""What the tests of the program share: where it is, and a way to run it."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Tests share one loopback, and are not to meet there.
os.environ["FRESHET_NO_LSD"] = "1"
PROGRAM = os.environ.get("FRESHET", str(ROOT / "build/release/freshet"))


@pytest.fixture
def freshet():
    """Runs the program; gives a finished process with text of both streams."""

    def run(*words, env=None, **options):
        options.setdefault("timeout", 60)
        return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True,
                              stdin=options.pop("stdin", subprocess.DEVNULL), check=False,
                              env={**os.environ, **(env or {})}, **options)

    return run


@pytest.fixture
def commands(freshet):
    """Names of every command that `freshet help` lists."""
    pages = freshet("man", "--list").stdout.split()
    return [page.removeprefix("freshet-") for page in pages if page != "freshet"]
