# SPDX-License-Identifier: MIT
"""`freshet tracker` as a person starts, feeds and ends it."""
import json
import signal
import subprocess
import time
import urllib.request

import pytest
from conftest import PROGRAM

HASH = "61" * 20


@pytest.fixture
def tracker():
    """Starts trackers and ends them by their own process ids."""
    running = []

    def start(*words):
        process = subprocess.Popen([PROGRAM, "tracker", "--progress=json", *map(str, words)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        running.append(process)
        process.ready = json.loads(process.stdout.readline())
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def announce(listen, rest="port=1000&left=0"):
    url = f"http://{listen}/announce?info_hash={'a' * 20}&peer_id=-TT0001-{'x' * 12}&{rest}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_tracker_with_0_and_stats(tracker, number):
    process = tracker("--http", "127.0.0.1:0", "--udp", "127.0.0.1:0")
    assert process.ready["event"] == "ready"
    assert process.ready["http"] == [process.ready["listen"]]
    assert len(process.ready["udp"]) == 1
    assert b"8:completei1e" in announce(process.ready["listen"])
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""
    stats = json.loads(output)
    assert (stats["event"], stats["announces"], stats["peers"]) == ("stats", 1, 1)


def test_every_address_means_both_families(tracker):
    process = tracker("--http", "127.0.0.1:0", "--udp", ":0")
    assert len(process.ready["udp"]) == 2
    assert process.ready["udp"][0].startswith("0.0.0.0:")
    assert process.ready["udp"][1].startswith("[::]:")


def test_plain_progress_prints_urls():
    process = subprocess.Popen([PROGRAM, "tracker", "--http", "127.0.0.1:0"], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    line = process.stdout.readline()
    process.terminate()
    process.communicate(timeout=20)
    assert line.startswith("http://127.0.0.1:") and line.endswith("/announce\n")
    assert process.returncode == 0


@pytest.mark.parametrize("words", [
    ("--http", "nonsense"), ("--udp", "127.0.0.1"), ("--http", "127.0.0.1:70000"),
    ("--trusted-proxy", "x"), ("--interval", "0"), ("--interval", "2w"), ("--interval", "soon"),
    ("operand",), ("--progress", "loud"),
])
def test_nonsense_on_the_command_line_is_a_usage_error(freshet, words):
    done = freshet("tracker", *words)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("freshet tracker: ")
    assert done.stdout == ""


def test_a_taken_address_is_named(freshet, tracker):
    listen = tracker("--http", "127.0.0.1:0").ready["listen"]
    done = freshet("tracker", "--http", listen)
    assert done.returncode == 4
    assert listen in done.stderr and done.stderr.count("\n") == 1


def test_a_wrong_allow_list_names_its_line(freshet, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text(HASH + "\n\nnonsense\n")
    done = freshet("tracker", "--http", "127.0.0.1:0", "--allow", allowed)
    assert done.returncode == 8
    assert f"{allowed} line 3" in done.stderr and done.stderr.count("\n") == 1
    assert freshet("tracker", "--http", "127.0.0.1:0", "--allow",
                   tmp_path / "absent").returncode == 8


def test_the_allow_list_is_read_again_on_hangup(tracker, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text("# nothing yet\n")
    process = tracker("--http", "127.0.0.1:0", "--allow", allowed)
    assert b"torrent is not served here" in announce(process.ready["listen"])
    allowed.write_text(HASH + "\n")
    process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while b"complete" not in announce(process.ready["listen"]) and time.monotonic() < end:
        time.sleep(0.05)
    assert b"8:completei1e" in announce(process.ready["listen"])
    # A list that is wrong leaves the old one in force.
    allowed.write_text("wrong\n")
    process.send_signal(signal.SIGHUP)
    assert "line 1" in process.stderr.readline() + process.stderr.readline()
    assert b"8:completei1e" in announce(process.ready["listen"])
