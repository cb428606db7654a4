# SPDX-License-Identifier: MIT
"""On the page: a file is played while it comes from a peer."""
import os
import random
import struct
import wave
import zlib

import pytest
from daemons import daemons  # noqa: F401, a fixture
from peers import peers  # noqa: F401, a fixture

SECONDS = 60
RATE = 44100


def picture():
    """A PNG of 8 times 8 points."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = zlib.compress(b"".join(b"\0" + bytes(range(24)) for _ in range(8)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", lines) + chunk(b"IEND", b""))


@pytest.fixture
def concert(freshet, peers, daemons, tmp_path):
    """A daemon that gets a folder of 5 MB: at once, or slowly and when it is told to begin."""
    content = tmp_path / "from/concert"
    content.mkdir(parents=True)
    with wave.open(str(content / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(random.Random(1).randbytes(SECONDS * RATE * 2))
    (content / "picture.png").write_bytes(picture())
    (content / "page.html").write_text("<script>window.ran = 1; opener && (opener.ran = 1)</script>")
    torrent = tmp_path / "concert.torrent"
    assert freshet("create", content, "-o", torrent, "-l", "32K").returncode == 0

    def start(slowly=False):
        seed = peers("seed", torrent, "-o", content.parent, *(["-u", "150K"] if slowly else []))
        daemon = daemons("--peer", seed.endpoint)
        number = daemon.add(torrent, paused=slowly)["id"]
        if not slowly:
            daemon.wait_complete()
        return daemon, {"torrentName": "concert", "number": number, "seconds": SECONDS}

    return start


def test_a_file_is_played_while_it_comes(concert, browse):
    daemon, facts = concert(slowly=True)
    assert browse("play", daemon, **facts)["share"] < 1


def test_pictures_are_shown_and_what_cannot_be_played_has_no_button(concert, browse):
    daemon, facts = concert()
    browse("playPicture", daemon, **facts)


def test_the_player_fits_into_a_phone(concert, browse):
    daemon, facts = concert()
    browse("playOnAPhone", daemon, pictures=os.environ.get("FRESHET_PICTURES", ""), **facts)
