# SPDX-License-Identifier: MIT
"""Torrents of the payload, made by libtorrent, to be independent of what is tested."""
import libtorrent

import payload

FLAGS = {
    "v1": libtorrent.create_torrent.v1_only,
    "v2": libtorrent.create_torrent.v2_only,
    "hybrid": 0,
}


def make(source, path, version, trackers=()):
    """Writes a .torrent; the answer is its path."""
    files = libtorrent.file_storage()
    libtorrent.add_files(files, str(source / payload.NAME))
    torrent = libtorrent.create_torrent(files, 262144, flags=FLAGS[version])
    for tracker in trackers:
        torrent.add_tracker(tracker)
    libtorrent.set_piece_hashes(torrent, str(source))
    path.write_bytes(libtorrent.bencode(torrent.generate()))
    return path


def info_hashes(path):
    """(v1, v2) in hexadecimal, None where there is none."""
    hashes = libtorrent.torrent_info(str(path)).info_hashes()
    return (str(hashes.v1) if hashes.has_v1() else None, str(hashes.v2) if hashes.has_v2() else None)
