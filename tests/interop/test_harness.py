# SPDX-License-Identifier: MIT
"""The other clients among themselves: what fails here is not freshet's fault."""
import payload
import pytest
import torrents


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_libtorrent_downloads_from_libtorrent(clients, source, tmp_path, version):
    torrent = torrents.make(source, tmp_path / "a.torrent", version)
    seed, leech = clients.libtorrent(), clients.libtorrent()
    seed.add(torrent, source, seed=True)
    handle = leech.add(torrent, tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")


def test_aria2_downloads_from_libtorrent_through_opentracker(clients, source, tmp_path):
    plain = torrents.make(source, tmp_path / "plain.torrent", "v1")
    tracker = clients.opentracker(torrents.info_hashes(plain)[0])
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [tracker.http])
    clients.libtorrent().add(torrent, source, seed=True)
    clients.aria2(torrent, tmp_path / "copy").wait_complete()
    payload.check(tmp_path / "copy")
