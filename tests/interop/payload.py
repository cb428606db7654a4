# SPDX-License-Identifier: MIT
"""What is sent around: a folder with large, small and empty files and names beyond ASCII."""
import random
from pathlib import Path

NAME = "Gepäck"
VERSIONS = ("v1", "v2", "hybrid")  # of torrents of it
FILES = {
    "gross.bin": 14_000_003,
    "leer": 0,
    "klein.txt": 5,
    "Füße/日本語.bin": 9_123_456,
    "Füße/ένα": 16384,
}


def make(folder):
    """The folder's path; the same bytes each time."""
    root = folder / NAME
    generator = random.Random(42)
    for name, size in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(generator.randbytes(size))
    return root


def check(folder, empty=True):
    """Is there a whole copy in `folder`, and nothing else? (Transmission leaves empty files out.)"""
    found = {str(path.relative_to(folder / NAME)) for path in Path(folder / NAME).rglob("*")
             if path.is_file() and ".pad" not in path.parts}
    expected = {name for name, size in FILES.items() if size or empty}
    assert found == expected, found
    generator = random.Random(42)
    for name, size in FILES.items():
        content = generator.randbytes(size)
        assert name not in expected or (folder / NAME / name).read_bytes() == content, name
