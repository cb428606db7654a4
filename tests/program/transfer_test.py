# SPDX-License-Identifier: MIT
"""A file goes from peer to peer: what is finished, what is kept, and what is said when it fails."""
import filecmp
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from conftest import PROGRAM
from peers import peers, wait_for, write

MIB = 1 << 20


@pytest.fixture
def make(freshet, tmp_path):
    """Makes a torrent of what lies at a path."""

    def create(path, *words):
        torrent = tmp_path / f"{path.name}.torrent"
        result = freshet("create", path, "-o", torrent, "--no-date", *words)
        assert result.returncode == 0, result.stderr
        return torrent

    return create


def same_tree(here, there):
    names = sorted(p.relative_to(here) for p in here.rglob("*"))
    assert names == sorted(p.relative_to(there) for p in there.rglob("*"))
    for name in names:
        if (here / name).is_file():
            assert filecmp.cmp(here / name, there / name, shallow=False), name


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_a_folder_arrives_whole(peers, make, tmp_path, version):
    source = tmp_path / "from" / "Füße"
    write(source / "a.bin", 3 * MIB + 17)
    write(source / "sub/日本.txt", 5)
    write(source / "sub/empty", 0)
    torrent = make(source, f"--{version}", "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0
    assert get.events("done")
    same_tree(tmp_path / "from", tmp_path / "to")
    stats = get.wait_event("stats")
    assert stats["downloaded"] == 3 * MIB + 22 and stats["wasted"] == 0
    assert seed.kill(signal.SIGTERM) == 0
    assert seed.wait_event("stats")["uploaded"] == 3 * MIB + 22


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_block_may_lie_in_thousands_of_files(peers, make, tmp_path, version):
    source = tmp_path / "from/set"
    for number in range(1000):
        write(source / f"{number // 100}/{number}", number % 7, number)
    write(source / "a.bin", 3 * 16384 - 1)  # ends a byte before a piece does
    torrent = make(source, f"--{version}", "-l", "16K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    same_tree(tmp_path / "from", tmp_path / "to")


def test_a_named_peer_that_starts_later_is_found(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = make(source)
    with socket.socket() as probe:
        probe.bind(("127.0.0.9", 0))
        port = probe.getsockname()[1]
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", f"127.0.0.9:{port}")
    get.wait_event("checked")
    seed = subprocess.Popen(
        [PROGRAM, "seed", torrent, "-o", tmp_path / "from", "--state", tmp_path / "state-late",
         "--listen", f"127.0.0.9:{port}", "--progress=none"], stdin=subprocess.DEVNULL)
    try:
        assert get.wait() == 0, get.log()
    finally:
        seed.kill()
        seed.wait()


def test_the_largest_pieces_fit_into_memory(peers, make, tmp_path):
    source = tmp_path / "from/f.bin"
    source.parent.mkdir()
    with source.open("wb") as file:
        file.truncate(300 * MIB)
    torrent = make(source, "--v1", "-l", "512M")
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--unchecked")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    assert get.wait_event("stats")["wasted"] == 0


def test_what_cannot_be_is_said_before_anything_is_done(freshet, make, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = make(source)
    for words, code in ((("get", torrent, "-o", source), 6),
                        (("seed", source, "--tracker", "here"), 2),
                        (("seed", source, "--web-seed", "there"), 2)):
        result = freshet(*words, "--listen", "127.0.0.1:0", "--state", tmp_path / "state")
        assert result.returncode == code, result.stderr
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_one_byte_arrives(peers, make, tmp_path, version):
    source = write(tmp_path / "from/one", 1)
    torrent = make(source, f"--{version}")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    same_tree(tmp_path / "from", tmp_path / "to")


def test_offsets_beyond_4_gib_are_whole(peers, make, tmp_path):
    """A sparse file of more than 4 GiB, of which only what lies behind them is fetched."""
    source = tmp_path / "from/set"
    write(source / "z.bin", 100_000)
    with (source / "a.bin").open("wb") as file:
        file.truncate((5 << 30) + 12345)
        file.seek((4 << 30) + 5)
        file.write(b"behind four gibibytes")
    torrent = make(source, "--v1", "-l", "16M")
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--unchecked")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    wait_for(lambda: get.last("verified") >= 64 * MIB, get.log)
    assert get.kill(signal.SIGINT) == 7
    last = peers("get", torrent, "-o", tmp_path / "there", "-s", "2", "--peer", seed.endpoint)
    assert last.wait() == 0, last.log()
    assert filecmp.cmp(source / "z.bin", tmp_path / "there/set/z.bin", shallow=False)
    assert not (tmp_path / "there/set/a.bin").exists()
    assert last.wait_event("stats")["downloaded"] <= 32 * MIB


def test_two_torrents_at_once_over_ipv6(peers, make, tmp_path):
    one = write(tmp_path / "from/one.bin", 2 * MIB)
    two = write(tmp_path / "from/two.bin", MIB + 1, 2)
    torrents = [make(one), make(two)]
    seed = peers("seed", *torrents, "-o", tmp_path / "from", address="[::1]")
    get = peers("get", *torrents, "-o", tmp_path / "to", "--peer", seed.endpoint, address="[::1]")
    assert get.wait() == 0, get.log()
    same_tree(tmp_path / "from", tmp_path / "to")


def test_files_are_numbered_alike_everywhere(freshet, make, tmp_path):
    source = tmp_path / "from/set"
    for number in range(3):
        write(source / f"{number}.bin", 100_000, number)
    torrent = make(source, "--hybrid")  # which has padding files between them
    shown = freshet("show", "--files", torrent).stdout
    assert shown == freshet("get", "--list", torrent).stdout
    assert [line.split()[0] for line in shown.splitlines()] == ["1", "2", "3"]


def test_a_list_shows_what_show_does_and_only_what_is_chosen(freshet, make, tmp_path):
    folder = tmp_path / "album"
    for name in ("a.flac", "b.flac", "notes.txt"):
        write(folder / name, 1000)
    (folder / "b.flac").chmod(0o755)
    (folder / "link").symlink_to("a.flac")
    torrent = make(folder, "--v1", "--symlinks")
    files = freshet("show", "--files", torrent).stdout
    assert freshet("get", "--list", torrent).stdout == files
    assert " -> " in files and "b.flac *" in files
    lines = {line.split()[-1].split("/")[-1]: line for line in files.splitlines()
             if "->" not in line and "*" not in line}
    assert freshet("get", "--list", "--only", "*.txt", torrent).stdout == \
        lines["notes.txt"] + "\n"
    assert freshet("get", "--list", "-s", "2-3", torrent).stdout.splitlines() == \
        files.splitlines()[1:3]
    assert freshet("get", "--list", "--only", "*.pdf", torrent).returncode == 2


def test_only_selected_files_are_written(peers, make, tmp_path):
    source = tmp_path / "from/set"
    for number in range(4):
        write(source / f"{number}.bin", 100_000, number)
    torrent = make(source, "--v1", "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "-s", "2,4", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    there = tmp_path / "to/set"
    for number in (1, 3):
        assert filecmp.cmp(source / f"{number}.bin", there / f"{number}.bin", shallow=False)
    assert not (there / "0.bin").exists() and not (there / "2.bin").exists()
    # The rest, later: boundary pieces come from the part store, not from the wire again.
    again = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, state=get.state)
    assert again.wait() == 0, again.log()
    for number in range(4):
        assert filecmp.cmp(source / f"{number}.bin", there / f"{number}.bin", shallow=False)
    assert again.wait_event("stats")["downloaded"] <= 400_000 - 200_000


def test_killed_at_any_instant_nothing_recorded_is_fetched_again(peers, make, tmp_path):
    source = write(tmp_path / "from/big.bin", 24 * MIB)
    torrent = make(source, "--v1", "-l", "128K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    words = [torrent, "-o", tmp_path / "to", "--peer", seed.endpoint]
    get = peers("get", *words, "-l", "2M")
    wait_for(lambda: get.last("durable") >= 2 * MIB, "no barrier passed")
    get.kill()
    durable = get.last("durable")
    again = peers("get", *words, state=get.state)
    assert again.wait() == 0, again.log()
    assert filecmp.cmp(source, tmp_path / "to/big.bin", shallow=False)
    assert again.wait_event("stats")["downloaded"] <= 24 * MIB - durable


def test_ctrl_c_saves_and_a_second_run_goes_on(peers, make, tmp_path):
    source = write(tmp_path / "from/big.bin", 8 * MIB)
    torrent = make(source, "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    words = [torrent, "-o", tmp_path / "to", "--peer", seed.endpoint]
    get = peers("get", *words, "-l", "1M")
    wait_for(lambda: get.last("verified") >= MIB, "nothing came")
    assert get.kill(signal.SIGINT) == 7
    got = get.last("verified")
    again = peers("get", *words, state=get.state)
    assert again.wait() == 0, again.log()
    assert filecmp.cmp(source, tmp_path / "to/big.bin", shallow=False)
    assert again.wait_event("stats")["downloaded"] <= 8 * MIB - got
    # Nothing is left to do, and that is said at once.
    third = peers("get", *words, state=get.state)
    assert third.wait() == 0
    assert third.wait_event("stats")["downloaded"] == 0


def test_seed_leaves_at_its_ratio(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 2 * MIB)
    torrent = make(source)
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--seed-ratio", "1")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0
    assert seed.wait() == 0


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_programs_stay_programs_and_links_lead_to_the_same(peers, make, tmp_path, version):
    source = tmp_path / "from/set"
    program = write(source / "bin/deep/run", 1000)
    program.chmod(0o755)
    write(source / "data", 1000, 2)
    links = {"near": "data", "bin/up": "../data", "bin/down": "deep/run", "far": "bin/deep/run"}
    for link, target in links.items():
        os.symlink(target, source / link)
    torrent = make(source, f"--{version}", "--symlinks")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--symlinks", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    there = tmp_path / "to/set"
    assert os.access(there / "bin/deep/run", os.X_OK) and not os.access(there / "data", os.X_OK)
    for link, target in links.items():
        assert os.readlink(there / link) == target
    # Links are made only when a person asks for them.
    plain = peers("get", torrent, "-o", tmp_path / "plain", "--peer", seed.endpoint)
    assert plain.wait() == 0, plain.log()
    for link in links:
        assert not os.path.lexists(tmp_path / "plain/set" / link)


def test_seed_leaves_after_its_time(peers, make, tmp_path):
    torrent = make(write(tmp_path / "from/f.bin", MIB))
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--seed-time", "1s")
    assert seed.wait() == 0, seed.log()


def test_sequential_download_has_the_front_first(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 8 * MIB)
    torrent = make(source, "--v1", "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, "--sequential",
                "-l", "2M")
    wait_for(lambda: get.last("verified") >= 4 * MIB, "nothing came")
    got = get.last("verified")
    with (tmp_path / "to/f.bin").open("rb") as file:
        front = file.read(got - MIB)  # a few pieces are on their way at any time
    assert front == source.read_bytes()[:len(front)]
    assert get.wait() == 0


def test_super_seed_gives_each_piece_about_once(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    torrent = make(source, "--v1", "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--super-seed")
    first = peers("get", torrent, "-o", tmp_path / "one", "--peer", seed.endpoint, "--seed-time",
                  "1h")
    second = peers("get", torrent, "-o", tmp_path / "two", "--peer", seed.endpoint, "--peer",
                   first.endpoint, "--seed-time", "1h")
    for get in (first, second):
        get.wait_event("done")
    assert filecmp.cmp(source, tmp_path / "one/f.bin", shallow=False)
    assert filecmp.cmp(source, tmp_path / "two/f.bin", shallow=False)
    seed.kill(signal.SIGTERM)
    assert seed.wait_event("stats")["uploaded"] < 2 * 4 * MIB, "peers gave each other the rest"


def test_changed_file_is_not_served(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    good = tmp_path / "good"
    good.mkdir()
    shutil.copy2(source, good / "f.bin")
    torrent = make(source, "--v1", "-l", "64K")
    changed = peers("seed", torrent, "-o", tmp_path / "from")
    changed.wait_event("checked")
    with source.open("r+b") as file:
        file.seek(MIB)
        file.write(b"changed!" * 1000)
    wait_for(lambda: "changed on the disk" in changed.log(), "the change was not noticed", 30)
    wait_for(lambda: "1 of 64 pieces are now missing or bad" in changed.log(),
             lambda: f"nobody is told what was found: {changed.log()[-2000:]}", 30)
    told = len(changed.events("progress"))
    wait_for(lambda: len(changed.events("progress")) > told, "no progress")
    last = changed.events("progress")[-1]
    assert not last["complete"] and last["phase"] == "seeding"
    assert last["verified"] == 4 * MIB - 65536
    honest = peers("seed", torrent, "-o", good)
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", changed.endpoint, "--peer",
                honest.endpoint)
    assert get.wait() == 0, get.log()
    assert filecmp.cmp(good / "f.bin", tmp_path / "to/f.bin", shallow=False)
    assert "banned" not in get.log(), "a bad piece was served"
    # Who has nobody else gets all that is good, and nothing that is not.
    alone = peers("get", torrent, "-o", tmp_path / "alone", "--peer", changed.endpoint)
    wait_for(lambda: alone.last("verified") == 4 * MIB - 65536, alone.log)
    assert alone.kill(signal.SIGTERM) == 7
    stats = alone.wait_event("stats")
    assert (stats["downloaded"], stats["wasted"]) == (4 * MIB - 65536, 0)
    assert changed.kill(signal.SIGTERM) == 0
    assert not changed.wait_event("stats")["torrents"][0]["complete"]


def test_what_is_spoilt_while_a_get_seeds_is_fetched_again(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    torrent = make(source, "--v1", "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    get = peers("get", torrent, "-o", tmp_path / "to", "--seed-time", "1h", "--peer",
                seed.endpoint)
    get.wait_event("done")
    seed.kill(signal.SIGTERM)
    with (tmp_path / "to/f.bin").open("r+b") as file:
        file.seek(2 * MIB)
        file.write(b"changed!" * 1000)
    wait_for(lambda: "1 of 64 pieces are now missing or bad (fetching" in get.log(),
             lambda: f"nobody is told what was found: {get.log()[-2000:]}", 30)
    told = len(get.events("progress"))
    wait_for(lambda: len(get.events("progress")) > told, "no progress")
    last = get.events("progress")[-1]
    assert not last["complete"] and last["phase"] == "downloading"
    again = peers("seed", torrent, "-o", tmp_path / "from", "--peer", get.endpoint)
    wait_for(lambda: len(get.events("done")) == 2, get.log)
    assert filecmp.cmp(source, tmp_path / "to/f.bin", shallow=False)
    assert get.events("done")[-1]["complete"]
    assert get.kill(signal.SIGTERM) == 0
    again.kill(signal.SIGTERM)


def test_second_process_on_the_same_files_is_refused(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    torrent = make(source)
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    seed.wait_event("ready")
    seed.wait_event("checked")
    for state in (seed.state, tmp_path / "another"):
        other = peers("seed", torrent, "-o", tmp_path / "from", state=state)
        assert other.wait() == 9
        assert f"process {seed.process.pid} already works on this torrent" in other.log()
    # Another torrent in the same folder, and the same one in another folder, are nobody's yet.
    second = write(tmp_path / "from/g.bin", MIB)
    neighbour = peers("seed", make(second), "-o", tmp_path / "from")
    neighbour.wait_event("checked")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    assert sorted(path.name for path in (tmp_path / "from").iterdir()) == ["f.bin", "g.bin"]
    seed.kill()
    again = peers("seed", torrent, "-o", tmp_path / "from", state=tmp_path / "another")
    again.wait_event("checked")


def test_no_peers_in_time_is_a_network_error(peers, make, tmp_path):
    torrent = make(write(tmp_path / "from/f.bin", MIB))
    get = peers("get", torrent, "-o", tmp_path / "to", "--timeout", "1s")
    assert get.wait() == 4, get.log()


@pytest.mark.parametrize("cut", [0, 1, 40, 150])
def test_bad_torrent_writes_nothing(freshet, make, tmp_path, cut):
    torrent = make(write(tmp_path / "from/f.bin", MIB))
    bad = tmp_path / "bad.torrent"
    bad.write_bytes(torrent.read_bytes()[:cut])
    result = freshet("get", bad, "-o", tmp_path / "to", "--state", tmp_path / "state")
    assert result.returncode == 8
    assert result.stderr.count("\n") == 1 and str(bad) in result.stderr
    assert not (tmp_path / "to").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 6 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "freshet-test", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_full_disk_ends_with_6_and_goes_on_later(peers, make, tmp_path, small_disk):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    torrent = make(source, "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    ballast = write(small_disk / "ballast", 4 * MIB)
    words = [torrent, "-o", small_disk / "to", "--peer", seed.endpoint]
    get = peers("get", *words)
    assert get.wait() == 6, get.log()
    assert "space" in get.log()
    ballast.unlink()
    again = peers("get", *words, state=get.state)
    assert again.wait() == 0, again.log()
    assert filecmp.cmp(source, small_disk / "to/f.bin", shallow=False)


def test_full_disk_with_wait_goes_on_by_itself(peers, make, tmp_path, small_disk):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    torrent = make(source, "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    ballast = write(small_disk / "ballast", 4 * MIB)
    get = peers("get", torrent, "-o", small_disk / "to", "--peer", seed.endpoint, "--wait")
    wait_for(lambda: "space" in get.log(), "nobody said that the disk is full")
    time.sleep(0.2)
    assert get.process.poll() is None
    ballast.unlink()
    assert get.wait() == 0, get.log()
    assert filecmp.cmp(source, small_disk / "to/f.bin", shallow=False)


def test_absent_storage_is_not_made_anew(peers, make, tmp_path):
    source = write(tmp_path / "from/f.bin", 4 * MIB)
    torrent = make(source, "-l", "64K")
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    words = [torrent, "-o", tmp_path / "to", "--peer", seed.endpoint]
    get = peers("get", *words)
    assert get.wait() == 0
    os.rename(tmp_path / "to", tmp_path / "away")
    gone = peers("get", *words, "--timeout", "2s", state=get.state)
    assert gone.wait() in (4, 6), gone.log()
    assert not (tmp_path / "to").exists()
    os.rename(tmp_path / "away", tmp_path / "to")
    back = peers("get", *words, state=get.state)
    assert back.wait() == 0
    assert back.wait_event("stats")["downloaded"] == 0
