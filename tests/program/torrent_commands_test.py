# SPDX-License-Identifier: MIT
"""create, show, verify and edit: what they make, what they say, what they refuse."""
import hashlib
import json
import os
import shutil
import stat

import pytest

VERSIONS = ("v1", "v2", "hybrid")


@pytest.fixture
def content(tmp_path):
    """A folder with a large file, an empty one, a deep one with a name beyond ASCII."""
    folder = tmp_path / "data"
    (folder / "sub" / "é").mkdir(parents=True)
    (folder / "big.bin").write_bytes(bytes(i * 7 % 251 for i in range(300_000)))
    (folder / "sub" / "empty").write_bytes(b"")
    (folder / "sub" / "é" / "naïve.txt").write_text("hi\n")
    (folder / "run.sh").write_text("#!/bin/sh\n" * 3000)
    (folder / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def make(freshet, content, tmp_path):
    """Makes a torrent of the content; gives its path."""

    def run(version="hybrid", *words):
        torrent = tmp_path / f"{version}.torrent"
        result = freshet("create", f"--{version}", "--no-date", "-o", torrent, *words, content)
        assert result.returncode == 0, result.stderr
        return torrent

    return run


def shown(freshet, torrent):
    result = freshet("show", "--json", torrent)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_create_gives_the_published_vector(freshet, tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(bytes(i & 0xff for i in range(49152)))
    hashes = {
        "v1": {"info_hash_v1": "27bbceaf3829b60524759f7335fcafcc4c3fcfee"},
        "v2": {"info_hash_v2":
               "0c0172d32feffde9c8a2db297b031be96fd32cec0989cfab1d0b2c5c52b4463b"},
        "hybrid": {"info_hash_v1": "1864acef3b2681b0613a5221bbfb88ed47f0a996",
                   "info_hash_v2":
                   "7695f713e8bcdceee885681044b5f4f2ec5e0cdd76f07e39533ded708da9c0ef"},
    }
    for version, expected in hashes.items():
        torrent = tmp_path / f"{version}.torrent"
        assert freshet("create", f"--{version}", "-l", "32K", "-o", torrent, file).returncode == 0
        facts = shown(freshet, torrent)
        assert {key: facts[key] for key in facts if key.startswith("info_hash")} == expected
        assert freshet("verify", torrent, tmp_path).returncode == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_create_shows_and_verifies(freshet, make, content, version):
    torrent = make(version)
    facts = shown(freshet, torrent)
    assert facts["name"] == "data"
    assert facts["length"] == sum(f.stat().st_size for f in content.rglob("*") if f.is_file())
    paths = [file["path"] for file in facts["files"]]
    assert paths == ["data/big.bin", "data/run.sh", "data/sub/empty", "data/sub/é/naïve.txt"]
    assert [file.get("executable", False) for file in facts["files"]] == [False, True, False, False]
    assert "creation_date" not in facts
    result = freshet("verify", torrent, content.parent)
    assert (result.returncode, result.stderr) == (0, "")
    assert "4 of 4 files good" in result.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_input_gives_the_same_bytes(freshet, make, content, tmp_path, version):
    first = make(version, "-j", "1").read_bytes()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.copytree(content, moved / "data")
    second = tmp_path / "second.torrent"
    assert freshet("create", f"--{version}", "--no-date", "-j", "7", "-o", second,
                   f"{moved}/data/").returncode == 0
    assert second.read_bytes() == first
    assert freshet("create", f"--{version}", "--no-date", "-o", second, ".",
                   cwd=content).returncode == 0
    assert second.read_bytes() == first


def test_create_writes_what_it_is_told(freshet, make):
    facts = shown(freshet, make("v1", "-a", "http://a/announce,udp://b:1", "-a", "http://c/announce",
                                "-w", "http://w/", "-p", "--source", "S", "-c", "a comment",
                                "-l", "64K"))
    assert facts["trackers"] == [["http://a/announce", "udp://b:1"], ["http://c/announce"]]
    assert facts["web_seeds"] == ["http://w/"]
    assert facts["private"] is True
    assert (facts["source"], facts["comment"]) == ("S", "a comment")
    assert facts["piece_length"] == 65536
    assert facts["magnet"].startswith(f"magnet:?xt=urn:btih:{facts['info_hash_v1']}&dn=data&tr=http")


def test_create_leaves_out_what_is_excluded_and_what_is_no_file(freshet, content, tmp_path):
    os.symlink("big.bin", content / "link")
    os.symlink("/etc/passwd", content / "out")
    os.mkfifo(content / "pipe")
    torrent = tmp_path / "x.torrent"
    result = freshet("create", "-o", torrent, "--exclude", "*.sh", "--exclude", "sub/é", content)
    assert result.returncode == 0
    assert [f["path"] for f in shown(freshet, torrent)["files"]] == ["data/big.bin",
                                                                     "data/sub/empty"]
    for name in ("link", "out", "pipe"):
        assert f"freshet create: {name}: left out" in result.stderr
    assert freshet("create", "-o", torrent, "--symlinks", content).returncode == 0
    links = [f for f in shown(freshet, torrent)["files"] if "symlink" in f]
    assert [(f["path"], f["symlink"]) for f in links] == [("data/link", "data/big.bin")]
    assert freshet("verify", torrent, content.parent).returncode == 0


def test_create_refuses_what_makes_no_torrent(freshet, content, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, code in (((empty,), 2), ((tmp_path / "nothing",), 2), (("/",), 2),
                        (("-l", "20000", content), 2), (("-a", "ftp://x", content), 2),
                        (("-w", "server", content), 2), (("-w", "http://a b", content), 2),
                        (("-o", "/nonexistent/x", content), 6)):
        result = freshet("create", *words, cwd=tmp_path)
        assert result.returncode == code, (words, result.stderr)
        assert result.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.torrent*"))


@pytest.mark.parametrize("version", VERSIONS)
def test_verify_names_what_is_bad(freshet, make, content, version):
    torrent = make(version, "-l", "16K")
    damaged = content / "big.bin"
    good = damaged.read_bytes()
    damaged.write_bytes(good[:100_000] + bytes([good[100_000] ^ 1]) + good[100_001:])
    result = freshet("verify", torrent, content.parent)
    assert result.returncode == 5
    assert "bad      data/big.bin: 1 of 19 pieces: 6\n" in result.stdout
    damaged.write_bytes(good + b"more")
    result = freshet("verify", torrent, content.parent)
    assert result.returncode == 5
    assert "size     data/big.bin: has 300004 bytes, should have 300000\n" in result.stdout
    damaged.unlink()
    (content / "sub" / "empty").unlink()
    result = freshet("verify", torrent, content.parent)
    assert result.returncode == 5
    assert "missing  data/big.bin\n" in result.stdout
    assert "missing  data/sub/empty\n" in result.stdout
    facts = json.loads(freshet("verify", "--json", torrent, content.parent).stdout)
    assert facts["good"] is False
    assert {f["path"]: f["state"] for f in facts["files"]}["data/run.sh"] == "good"


def test_odd_names_are_made_safe_but_found_where_they_are(freshet, content, tmp_path):
    for name in ("READ.me", "read.me", "dots...", "sub./x", "back\\slash", "con"):
        (content / name).parent.mkdir(exist_ok=True)
        (content / name).write_text(name)
    torrent = tmp_path / "odd.torrent"
    result = freshet("create", "-o", torrent, content)
    assert result.returncode == 0
    assert "names are not safe everywhere" in result.stderr
    paths = [file["path"] for file in shown(freshet, torrent)["files"]]
    assert {"data/READ.me", "data/read.1.me", "data/dots", "data/back_slash", "data/con_",
            "data/sub.1/x"} <= set(paths)
    result = freshet("verify", torrent, tmp_path)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    (content / "read.me").rename(content / "read.1.me")
    (content / "dots...").rename(content / "dots")
    assert freshet("verify", torrent, tmp_path).returncode == 0


def test_verify_never_follows_a_symlink_out(freshet, make, content, tmp_path):
    torrent = make()
    outside = tmp_path / "outside"
    shutil.move(content / "sub", outside)
    os.symlink(outside, content / "sub")
    result = freshet("verify", torrent, tmp_path)
    assert result.returncode == 5
    assert "error    data/sub/é/naïve.txt: refused" in result.stdout


def test_edit_keeps_the_info_hash(freshet, make):
    torrent = make("hybrid", "-a", "http://a/announce,http://b/announce", "-c", "old")
    before = shown(freshet, torrent)
    info = torrent.read_bytes().split(b"4:info", 1)[1]
    torrent.chmod(0o640)
    result = freshet("edit", "--remove-tracker", "http://a/announce", "-a", "udp://c:1",
                     "-w", "http://w/", "-c", "new", torrent)
    assert (result.returncode, result.stderr) == (0, "")
    after = shown(freshet, torrent)
    assert after["trackers"] == [["http://b/announce"], ["udp://c:1"]]
    assert (after["web_seeds"], after["comment"]) == (["http://w/"], "new")
    assert after["info_hash_v1"] == before["info_hash_v1"]
    assert after["info_hash_v2"] == before["info_hash_v2"]
    assert torrent.read_bytes().split(b"4:info", 1)[1].startswith(info[:-1])
    assert stat.S_IMODE(torrent.stat().st_mode) == 0o640
    assert [entry.name for entry in torrent.parent.iterdir() if "torrent." in entry.name] == []
    assert freshet("edit", "--clear-trackers", "--clear-web-seeds", "-c", "", torrent).returncode == 0
    bare = shown(freshet, torrent)
    assert (bare["trackers"], bare["web_seeds"], "comment" in bare) == ([], [], False)


def test_edit_refuses_to_remove_what_is_not_there(freshet, make):
    torrent = make()
    before = torrent.read_bytes()
    result = freshet("edit", "--remove-tracker", "http://a/announce", torrent)
    assert result.returncode == 2
    assert torrent.read_bytes() == before


def test_show_prints_parts(freshet, make):
    torrent = make("v2", "-a", "http://a/announce")
    link = freshet("show", "--magnet", torrent).stdout.strip()
    assert link.startswith("magnet:?xt=urn:btmh:1220")
    facts = json.loads(freshet("show", "--json", link).stdout)
    assert facts["name"] == "data"
    assert facts["trackers"] == ["http://a/announce"]
    assert facts["info_hash_v2"] == shown(freshet, torrent)["info_hash_v2"]
    assert "http://a/announce" in freshet("show", "--trackers", torrent).stdout
    assert "data/sub/é/naïve.txt" in freshet("show", "--files", torrent,
                                             env={"LC_ALL": "C.UTF-8"}).stdout
    with open(torrent, "rb") as stream:
        assert "hash v2" in freshet("show", "-", stdin=stream).stdout


def test_names_from_a_torrent_cannot_speak_to_the_terminal(freshet, tmp_path):
    name = b"\x1b]0;x\x07\xe2\x80\xaegpj.exe"
    info = (b"d6:lengthi5e4:name%d:%s12:piece lengthi16384e6:pieces20:%se"
            % (len(name), name, hashlib.sha1(b"hello").digest()))
    torrent = tmp_path / "hostile.torrent"
    torrent.write_bytes(b"d7:comment4:\x1b[2J4:info" + info + b"e")
    for words in ((), ("--files",), ("--json",), ("--magnet",)):
        out = freshet("show", *words, torrent).stdout
        assert "\x1b" not in out and "\x07" not in out and "\u202e" not in out, words


BAD = {
    "empty": b"",
    "text": b"hello",
    "html": b"<!doctype html><p>404</p>",
    "nested": b"d4:info" + b"l" * 10_000_000,
    "no info": b"d8:announce8:http://ae",
    "piece length 0": b"d4:infod6:lengthi5e4:name1:x12:piece lengthi0e6:pieces20:" + b"a" * 20 + b"ee",
    "too few pieces": b"d4:infod6:lengthi99999e4:name1:x12:piece lengthi16e6:pieces20:" + b"a" * 20 + b"ee",
    "huge": b"d4:infod6:lengthi9223372036854775807e4:name1:x12:piece lengthi1e6:pieces0:ee",
    "future": b"d4:infod12:meta versioni3e4:name1:xee",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_torrent_is_one_line_and_writes_nothing(freshet, tmp_path, kind):
    torrent = tmp_path / "bad.torrent"
    torrent.write_bytes(BAD[kind])
    for command in (("show",), ("verify",), ("edit", "-c", "x")):
        result = freshet(*command, torrent, cwd=tmp_path)
        assert result.returncode == 8, (command, result.stderr)
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith(f"freshet {command[0]}: {torrent}: bad torrent: ")
        assert result.stdout == ""
    assert torrent.read_bytes() == BAD[kind]
    assert os.listdir(tmp_path) == ["bad.torrent"]


def test_a_torn_torrent_is_refused_at_every_length(freshet, make, tmp_path):
    whole = make("hybrid", "-l", "256K").read_bytes()
    torn = tmp_path / "torn.torrent"
    for cut in range(0, len(whole), max(1, len(whole) // 40)):
        torn.write_bytes(whole[:cut])
        assert freshet("show", torn).returncode == 8


def test_a_bad_magnet_link_is_one_line(freshet):
    for link in ("magnet:?dn=x", "magnet:?xt=urn:btih:12", "magnet:?xt=urn:btmh:1114" + "0" * 40):
        result = freshet("show", link)
        assert result.returncode == 8
        assert result.stderr.count("\n") == 1


def test_what_is_not_there_is_told_apart(freshet, tmp_path):
    assert freshet("show", tmp_path / "nothing.torrent").returncode == 3
    for command in ("show", "get", "verify"):
        result = freshet(command, tmp_path)
        assert (result.returncode, result.stderr.count("\n")) == (8, 1)
        assert "is a folder" in result.stderr
