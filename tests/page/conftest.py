# SPDX-License-Identifier: MIT
"""The page in a real browser against a real daemon: what tests/program has, and a way to node."""
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
HERE = Path(__file__).resolve().parent
sys.path.append(str(ROOT / "tests/program"))
_spec = importlib.util.spec_from_file_location("program_conftest", ROOT / "tests/program/conftest.py")
_program = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_program)
PROGRAM = _program.PROGRAM
freshet = _program.freshet


@pytest.fixture(scope="session", autouse=True)
def packages():
    """What package-lock.json says, no less and no more."""
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True, timeout=600,
                   capture_output=True)


@pytest.fixture
def browse(tmp_path):
    """Runs a scenario of scenarios.mjs with what it needs to know; gives what it returns."""

    def run(scenario, daemon, timeout=240, **facts):
        facts = {"url": "http://" + daemon.ready["rpc"], "token": daemon.token,
                 "folder": str(tmp_path), **facts}
        done = subprocess.run(["node", HERE / "scenarios.mjs", scenario, json.dumps(facts, default=str)],
                              capture_output=True, text=True, timeout=timeout, check=False,
                              env={**os.environ, "HOME": str(tmp_path)})
        assert done.returncode == 0, (f"{scenario}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n"
                                      f"daemon:\n{daemon.log()[-1500:]}")
        return json.loads(done.stdout.rstrip("\n").split("\n")[-1])

    return run
