# SPDX-License-Identifier: MIT
"""What a person bounds: rates, the files that are wanted, the space that is claimed."""
import time

import pytest
from peers import peers, wait_for, write

MIB = 1 << 20
BLOCK = 16 << 10
RATE = MIB


@pytest.fixture
def make(freshet, tmp_path):
    """Makes a torrent of what lies at a path."""

    def create(path, *words):
        torrent = tmp_path / f"{path.name}.torrent"
        result = freshet("create", path, "-o", torrent, "--no-date", "-l", "64K", *words)
        assert result.returncode == 0, result.stderr
        return torrent

    return create


READ = BLOCK + 64  # at most, where a limit holds: a block and the head behind it


def most(seconds, connections=1):
    """Bytes that may pass in so long: what the rate gives, a bucket of a quarter second that was
    full, and one transfer. A block is sent whole or not at all; what is received counts once it is
    read, so each connection may be a read ahead. Slowness cannot break this."""
    return RATE * seconds + RATE / 4 + 1 + READ * connections


def downloaded(get):
    return get.wait_event("stats")["downloaded"]


@pytest.mark.parametrize("limited, option, together", [
    ("get", "--down-limit", True), ("get", "--torrent-down-limit", False),
    ("seed", "--up-limit", True), ("seed", "--torrent-up-limit", False)])
def test_no_more_passes_than_the_limit_lets(peers, make, tmp_path, limited, option, together):
    size = 3 * MIB // 2 if together else 3 * MIB
    torrents = [make(write(tmp_path / f"from/{number}.bin", size, number), "--v1")
                for number in range(2)]
    limits = {limited: [option, "1M"]}
    start = time.monotonic()  # a bucket fills from then on at the earliest
    seed = peers("seed", *torrents, "-o", tmp_path / "from", *limits.get("seed", []))
    seed.wait_event("checked")
    get = peers("get", *torrents, "-o", tmp_path / "to", "--peer", seed.endpoint,
                *limits.get("get", []))
    assert get.wait() == 0, get.log()
    passed = downloaded(get)
    assert passed >= 2 * size
    # Of torrents that are limited each by itself, the last to end had the whole time.
    seconds = time.monotonic() - start
    assert (passed if together else size) <= most(seconds, 2 if together else 1)
    for number in range(2):
        name = f"{number}.bin"
        assert (tmp_path / "to" / name).read_bytes() == (tmp_path / "from" / name).read_bytes()


def test_a_limit_of_all_counts_every_peer(peers, make, tmp_path):
    torrent = make(write(tmp_path / "from/f.bin", 3 * MIB // 2), "--v1")
    start = time.monotonic()
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--up-limit", "1M")
    gets = [peers("get", torrent, "-o", tmp_path / f"to{number}", "--no-pex", "--peer",
                  seed.endpoint) for number in range(2)]
    for get in gets:
        assert get.wait() == 0, get.log()
    assert sum(downloaded(get) for get in gets) <= most(time.monotonic() - start)


@pytest.mark.parametrize("pattern, wanted", [
    ("*.txt", {"a.txt", "sub/b.txt"}), ("sub/*", {"sub/b.txt", "sub/c.bin"}),
    ("c.bin", {"sub/c.bin"})])
def test_only_files_that_fit_a_pattern_are_fetched(peers, make, tmp_path, pattern, wanted):
    source = tmp_path / "from/set"
    names = ["a.txt", "d.bin", "sub/b.txt", "sub/c.bin"]
    for number, name in enumerate(names):
        write(source / name, 200_000, number)
    torrent = make(source, "--v2")  # where no piece has a part of two files
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--only", pattern, "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    there = tmp_path / "to/set"
    assert {str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()} == wanted
    for name in wanted:
        assert (there / name).read_bytes() == (source / name).read_bytes()
    assert downloaded(get) == 200_000 * len(wanted)


def test_a_pattern_that_fits_no_file_is_said(freshet, make, tmp_path):
    torrent = make(write(tmp_path / "from/f.bin", MIB))
    result = freshet("get", torrent, "-o", tmp_path / "to", "--only", "*.txt", "--state",
                     tmp_path / "state", "--listen", "127.0.0.1:0")
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1 and "no file" in result.stderr
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("words, is_claimed", [(["--allocate"], True), ([], False)])
def test_space_is_claimed_at_once_only_when_asked_for(peers, make, tmp_path, words, is_claimed):
    size = 16 * MIB
    torrent = make(write(tmp_path / "from/f.bin", size), "--v1")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--down-limit", "64K", "--peer",
                seed.endpoint, *words)
    wait_for(lambda: get.last("verified") > 0, get.log)
    status = (tmp_path / "to/f.bin").stat()
    assert get.last("verified") < size / 4, "too late to tell"
    if is_claimed:
        assert status.st_size == size and status.st_blocks * 512 >= size
    else:
        assert status.st_blocks * 512 < size / 2
