# SPDX-License-Identifier: MIT
"""What the daemon carries is what the sources make, and it is small."""
import gzip
import os
import subprocess

from conftest import WEB

DIST = WEB / "dist"


def test_dist_is_what_the_sources_make(tmp_path):
    done = subprocess.run(["npm", "run", "build"], cwd=WEB, capture_output=True, text=True, check=False,
                          timeout=300, env={**os.environ, "FRESHET_WEB_DIST": str(tmp_path / "dist")})
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.name: path.read_bytes() for path in (tmp_path / "dist").iterdir()}
    kept = {path.name: path.read_bytes() for path in DIST.iterdir()}
    assert made.keys() == kept.keys()
    for name, content in made.items():
        assert content == kept[name], f"web/dist/{name} is not what `npm run build` makes"


def test_dist_is_at_most_120_kilobytes():
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in DIST.iterdir()}
    assert 0 < sum(sizes.values()) <= 120_000, sizes


def test_types_fit():
    done = subprocess.run(["npm", "run", "check"], cwd=WEB, capture_output=True, text=True, check=False,
                          timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
