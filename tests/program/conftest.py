# SPDX-License-Identifier: MIT
"""What the tests of the program share: where it is, and a way to run it."""
import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import namespaces  # noqa: E402  pylint: disable=wrong-import-position

# What tests mount is seen by nobody else: each test that mounts runs in a process of its own, which
# alone enters a namespace. In that of who is not root there is no other user, and dpkg wants root.
APART = "FRESHET_TESTS_APART"
APART_FOR = {"small_disk": "mount", "own_network": "network", "home_router": "network",
             "two_homes": "network"}  # fixtures
if os.environ.get(APART) == "network":
    namespaces.enter(namespaces.CLONE_NEWNET, "network", become_root=True)
elif APART in os.environ:
    namespaces.enter(namespaces.CLONE_NEWNS, "mount", become_root=False)
# Tests share one loopback, and are not to meet there.
os.environ["FRESHET_NO_LSD"] = "1"
# And no router hears of them.
os.environ["FRESHET_NO_PORTMAP"] = "1"
PROGRAM = os.environ.get("FRESHET", str(ROOT / "build/release/freshet"))


def run_apart(path, name, kind):
    result = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                             f"{path}::{name}"], capture_output=True, text=True, check=False,
                            timeout=300, stdin=subprocess.DEVNULL, env={**os.environ, APART: kind})
    passed = result.returncode == 0 and "1 passed" in result.stdout
    assert passed, f"in a process of its own:\n{result.stdout}{result.stderr}"


def pytest_collection_modifyitems(items):
    for item in items:
        kind = APART_FOR.keys() & set(item.fixturenames)
        if kind and APART not in os.environ:
            item.setup = lambda: None
            item.runtest = functools.partial(run_apart, item.path, item.name, APART_FOR[kind.pop()])


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
def small_disk(tmp_path):
    """A file system of 6 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    namespaces.mount_memory(path, 6 << 20)
    yield path
    namespaces.unmount(path)


@pytest.fixture
def pages(freshet):
    """Every manual page: its name, and the words that call what it is of."""
    names = [page.removeprefix("freshet-") for page in freshet("man", "--list").stdout.split()
             if page != "freshet"]
    groups = {name for name in names
              if "-" not in name and any(other.startswith(name + "-") for other in names)}
    words = {}
    for name in names:
        group = next((group for group in groups if name.startswith(group + "-")), None)
        words[name] = (group, name.removeprefix(group + "-")) if group else (name,)
    return words


@pytest.fixture
def commands(pages):
    """Words of every command and verb that is listed, "get" and "dht ping"."""
    return [" ".join(words) for words in pages.values()]
