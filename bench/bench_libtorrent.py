# SPDX-License-Identifier: MIT
"""libtorrent as a program: seed, get, verify and create, with what a fast transfer needs and
nothing else switched on. It prints "ready" when it seeds."""
import os
import sys
import time

import libtorrent

QUIET = {
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False,
    "allow_multiple_connections_per_ip": True, "connection_speed": 100,
    "out_enc_policy": 2, "in_enc_policy": 2, "alert_mask": 0,
}


UTP_ONLY = {
    "enable_outgoing_utp": True, "enable_incoming_utp": True,
    "enable_outgoing_tcp": False, "enable_incoming_tcp": False,
}


RC4_ONLY = {"out_enc_policy": 0, "in_enc_policy": 0, "allowed_enc_level": 2, "prefer_rc4": True}


def open_session(port):
    return libtorrent.session(dict(QUIET, listen_interfaces=f"0.0.0.0:{port}"))


def add(session, torrent, folder, trusted):
    parameters = libtorrent.add_torrent_params()
    parameters.ti = libtorrent.torrent_info(torrent)
    parameters.save_path = folder
    parameters.flags &= ~libtorrent.torrent_flags.auto_managed
    parameters.flags &= ~libtorrent.torrent_flags.paused
    if trusted:
        parameters.flags |= libtorrent.torrent_flags.seed_mode
    return session.add_torrent(parameters)


def wait_until_seeding(handle):
    while not handle.status().is_seeding:
        time.sleep(0.01)


def seed(torrent, folder, port):
    session = open_session(port)
    handle = add(session, torrent, folder, True)
    wait_until_seeding(handle)
    print("ready", flush=True)
    while True:
        time.sleep(60)


def get(torrent, folder, port):
    session = open_session(port)
    wait_until_seeding(add(session, torrent, folder, False))
    os._exit(0)


def create(path, output, piece_length, version):
    flags = {"v1": libtorrent.create_torrent.v1_only, "v2": libtorrent.create_torrent.v2_only,
             "hybrid": 0}[version]
    storage = libtorrent.file_storage()
    libtorrent.add_files(storage, path)
    torrent = libtorrent.create_torrent(storage, int(piece_length), flags)
    libtorrent.set_piece_hashes(torrent, os.path.dirname(path))
    with open(output, "wb") as file:
        file.write(libtorrent.bencode(torrent.generate()))


def main():
    if sys.argv[1] == "--utp":
        del sys.argv[1]
        QUIET.update(UTP_ONLY)
    if sys.argv[1] == "--rc4":
        del sys.argv[1]
        QUIET.update(RC4_ONLY)
    verb, arguments = sys.argv[1], sys.argv[2:]
    {"seed": seed, "get": get, "verify": get, "create": create}[verb](*arguments)


main()
