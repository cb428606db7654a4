# SPDX-License-Identifier: MIT
"""What gets installed: by `make install`, and by the .deb."""
import gzip
import os
import re
import subprocess

import pytest

from conftest import ROOT


def run(*words, **options):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                            check=False, timeout=300, stdin=subprocess.DEVNULL, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def check_units(base):
    """systemd takes them as they are; the program that they name is the installed one."""
    for flavour in ("user", "system"):
        folder = base / "lib/systemd" / flavour
        assert (folder / "freshet.socket").exists()
        text = (folder / "freshet.service").read_text()
        assert "@" not in text.replace("@system-service", "")
        program = re.search(r"^ExecStart=(\S+/bin/freshet) daemon\b", text, re.M).group(1)
        assert str(base).endswith(program.removesuffix("/bin/freshet"))


def check_files(base, commands):
    assert re.fullmatch(r"freshet \S+\n", run(base / "bin/freshet", "version"))
    for page in ["freshet", *(f"freshet-{name}".replace(" ", "-") for name in commands)]:
        text = gzip.decompress((base / f"share/man/man1/{page}.1.gz").read_bytes())
        assert text.startswith(b".\\\"")
    run("bash", "-n", base / "share/bash-completion/completions/freshet")
    assert (base / "share/zsh/vendor-completions/_freshet").read_text().startswith("#compdef")
    assert "complete -c freshet" in (base / "share/fish/vendor_completions.d/freshet.fish").read_text()
    check_units(base)
    assert (base / "share/icons/hicolor/scalable/apps/freshet.svg").read_text().startswith("<?xml")
    run("desktop-file-validate", base / "share/applications/freshet.desktop")
    assert "MIT License" in (base / "share/doc/freshet/copyright").read_text()


@pytest.fixture(scope="module", autouse=True)
def generated():
    run("cmake", "--build", ROOT / "build/release", "--", "freshet", "generated")


def test_make_install_honours_destdir_and_prefix(tmp_path, commands):
    run(ROOT / "tools/install_files.sh", tmp_path, "/opt/water")
    check_files(tmp_path / "opt/water", commands)
    files = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {("opt", "water")}


@pytest.mark.parametrize("flavour", ["user", "system"])
def test_systemd_verifies_the_units(tmp_path, flavour):
    run(ROOT / "tools/install_files.sh", tmp_path, "/usr")
    folder = tmp_path / "verify"
    folder.mkdir()
    for unit in (tmp_path / "usr/lib/systemd" / flavour).iterdir():
        text = unit.read_text()
        # The program is to be there, and its manual page is known to man once it is installed.
        text = text.replace("ExecStart=/usr/bin/freshet", f"ExecStart={tmp_path}/usr/bin/freshet")
        (folder / unit.name).write_text(text)
    words = ["systemd-analyze", *(["--user"] if flavour == "user" else []), "verify", "--man=no",
             folder / "freshet.service", folder / "freshet.socket"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False,
                            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    said = [line for line in result.stderr.splitlines() if "freshet" in line]
    assert result.returncode == 0 and not said, result.stderr


@pytest.fixture(scope="module")
def package():
    return (ROOT / run(ROOT / "tools/package.sh").split()[-1]).resolve()


def test_the_package_holds_a_program_that_runs(package, tmp_path, commands):
    run("dpkg-deb", "-x", package, tmp_path)
    check_files(tmp_path / "usr", commands)


def test_the_package_names_what_it_needs(package):
    fields = run("dpkg-deb", "-f", package)
    assert re.search(r"^Package: freshet$", fields, re.M)
    depends = re.search(r"^Depends: (.*)$", fields, re.M).group(1)
    assert "libc6" in depends
    assert re.search(r"^Recommends: ca-certificates$", fields, re.M), "for HTTPS"
    for name in (word.split()[0] for word in depends.split(",")):
        status = run("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
        assert status == "installed", name


def test_the_package_leaves_the_linkers_cache_to_dpkg(package, tmp_path):
    """Its scripts run beside whatever root it goes to, and are not to touch the machine."""
    run("dpkg-deb", "-e", package, tmp_path)
    assert "activate-noawait ldconfig" in (tmp_path / "triggers").read_text().splitlines()
    for name in ("postinst", "postrm"):
        lines = (tmp_path / name).read_text().splitlines()
        assert [line for line in lines if not line.startswith("#")] == ["set -e"], name


def test_the_package_installs_and_leaves_no_trace(package, tmp_path):
    """dpkg's own bookkeeping, in a root of its own, so that the machine stays as it is."""
    root = tmp_path / "root"
    admin = root / "var/lib/dpkg"
    for folder in ("info", "updates", "triggers"):
        (admin / folder).mkdir(parents=True)
    for name in ("status", "available"):
        (admin / name).touch()
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-depends",
            "--force-script-chrootless", f"--log={tmp_path}/log"]
    if os.getuid() != 0:
        dpkg = ["fakeroot", *dpkg]
    env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    run(*dpkg, "-i", package, env=env)
    assert re.fullmatch(r"freshet \S+\n", run(root / "usr/bin/freshet", "version"))
    run(*dpkg, "-P", "freshet", env=env)
    left = [path for path in (root / "usr").rglob("*") if path.is_file()]
    assert left == []
