# SPDX-License-Identifier: MIT
"""Our .torrent files as libtorrent and transmission-show read them, and theirs as we read them."""
import json
import os
import subprocess

import libtorrent
import pytest

import payload
import torrents
from freshet_client import PROGRAM


def run(*words, code=0):
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False,
                            timeout=120, stdin=subprocess.DEVNULL)
    assert result.returncode == code, result.stderr
    return result.stdout


def show(torrent):
    return json.loads(run("show", "--json", torrent))


@pytest.fixture(name="ours")
def fixture_ours(source, tmp_path):
    def make(version):
        torrent = tmp_path / f"ours-{version}.torrent"
        run("create", f"--{version}", "--no-date", "-a", "http://192.0.2.1/announce,udp://192.0.2.1:1",
            "-a", "http://192.0.2.2/announce", "-w", "http://192.0.2.3/", "-c", "a comment",
            "-o", torrent, source / payload.NAME)
        return torrent

    return make


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_libtorrent_reads_ours(ours, source, version):
    torrent = ours(version)
    facts = show(torrent)
    info = libtorrent.torrent_info(str(torrent))
    assert torrents.info_hashes(torrent) == (facts.get("info_hash_v1"), facts.get("info_hash_v2"))
    assert info.num_pieces() == facts["pieces"]
    assert info.piece_length() == facts["piece_length"]
    files = info.files()
    theirs = [(files.file_path(i), files.file_size(i)) for i in range(files.num_files())
              if not files.file_flags(i) & libtorrent.file_storage.flag_pad_file]
    assert theirs == [(file["path"], file["length"]) for file in facts["files"]]
    assert sorted((t.tier, t.url) for t in info.trackers()) == [  # it shuffles each tier
        (0, "http://192.0.2.1/announce"), (0, "udp://192.0.2.1:1"), (1, "http://192.0.2.2/announce")]
    assert info.comment() == "a comment"
    assert [seed["url"] for seed in info.web_seeds()] == ["http://192.0.2.3/"]
    run("verify", torrent, source)


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_libtorrent_hashes_as_we_do(ours, source, tmp_path, version):
    facts = show(ours(version))
    theirs = show(torrents.make(source, tmp_path / "theirs.torrent", version))
    roots = {file["path"]: file.get("pieces_root") for file in facts["files"]}
    for file in theirs["files"]:
        assert file.get("pieces_root") == roots[file["path"]]


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_we_verify_libtorrents(source, tmp_path, version):
    torrent = torrents.make(source, tmp_path / "theirs.torrent", version)
    facts = show(torrent)
    assert torrents.info_hashes(torrent) == (facts.get("info_hash_v1"), facts.get("info_hash_v2"))
    run("verify", torrent, source)


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_libtorrent_reads_our_magnet_links(ours, version):
    torrent = ours(version)
    parameters = libtorrent.parse_magnet_uri(run("show", "--magnet", torrent).strip())
    facts = show(torrent)
    hashes = parameters.info_hashes
    assert (str(hashes.v1) if hashes.has_v1() else None) == facts.get("info_hash_v1")
    assert (str(hashes.v2) if hashes.has_v2() else None) == facts.get("info_hash_v2")
    assert parameters.name == facts["name"]
    assert list(parameters.trackers) == [url for tier in facts["trackers"] for url in tier]
    again = libtorrent.make_magnet_uri(libtorrent.torrent_info(str(torrent)))
    ours_again = show(again)
    assert ours_again.get("info_hash_v1") == facts.get("info_hash_v1")
    assert ours_again.get("info_hash_v2") == facts.get("info_hash_v2")


def test_transmission_show_reads_ours(ours):
    torrent = ours("v1")  # transmission 3.00 reads no hybrid at all, libtorrent's neither
    facts = show(torrent)
    result = subprocess.run(["transmission-show", str(torrent)], capture_output=True, text=True,
                            check=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert f"Hash: {facts['info_hash_v1']}" in result.stdout
    assert f"Piece Count: {facts['pieces']}" in result.stdout
    for file in facts["files"]:
        assert f"  {file['path']} (" in result.stdout
    for tier in facts["trackers"]:
        for url in tier:
            assert url in result.stdout
