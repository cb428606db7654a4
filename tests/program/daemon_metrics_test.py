# SPDX-License-Identifier: MIT
"""What /metrics says is what Prometheus takes, without complaint, and names nobody."""
import subprocess

from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401, fixtures

MIB = 1 << 20


def lint(text):
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                             check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    # Advice is no failure for promtool; here it is one.
    assert checked.stdout + checked.stderr == b"", checked.stdout + checked.stderr


def values(text):
    """The lines without labels, by name."""
    found = {}
    for line in text.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[name] = float(value)
    return found


def test_promtool_finds_nothing_to_mend(daemons, peers, freshet, tmp_path):
    source = write(tmp_path / "from/secret-name.bin", 3 * MIB)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent, "-a",
                   "http://127.0.0.1:1/announce/passkeypasskey").returncode == 0
    seed = peers("seed", torrent, "-o", source.parent)
    daemon = daemons("--peer", seed.endpoint)
    status, empty = daemon.get("/metrics")
    assert status == 200
    lint(empty)
    added = daemon.add(torrent)
    daemon.wait_complete()
    wait_for(lambda: daemon.torrents("trackerStats")[0]["trackerStats"][0]["hasAnnounced"],
             "the tracker that is none was not asked")

    def loaded():
        return values(daemon.get("/metrics")[1])
    name = next(key for key in loaded() if "download" in key and key.endswith("_total"))
    wait_for(lambda: loaded()[name] >= 3 * MIB, loaded)
    text = daemon.get("/metrics")[1]
    lint(text)
    for secret in (b"secret-name", b"passkey", added["hashString"].encode()):
        assert secret not in text


def test_promtool_sees_faults():
    """The check itself is one."""
    faulty = subprocess.run(["promtool", "check", "metrics"], input=b"freshet_things 1\n",
                            capture_output=True, check=False, timeout=60)
    assert faulty.stdout + faulty.stderr != b""
