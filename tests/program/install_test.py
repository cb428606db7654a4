# SPDX-License-Identifier: MIT
"""tools/install.sh, with a pretend package manager in the PATH."""
import subprocess

import pytest

from conftest import ROOT

PRETEND = {
    "dpkg-query": 'for last; do :; done; if [ "$last" = have ]; then echo -n installed; '
                  'else exit 1; fi',
    "apt-cache": 'if [ "$2" = second ]; then echo "Package: second"; fi',
    "apt-get": 'echo "apt-get $* guard=$(test -e "$FRESHET_POLICY_GUARD" && echo yes)"',
    "sudo": 'exec "$@"',
}


@pytest.fixture
def install(tmp_path):
    """Runs install.sh on a list of these lines, as user or root, with or without sudo."""

    def run(lines, user, sudo):
        tools = tmp_path / "tools"
        tools.mkdir(exist_ok=True)
        pretend = {**PRETEND, "id": f"echo {user}"}
        if not sudo:
            del pretend["sudo"]
        for name in ("bash", "cat", "head", "tee", "chmod", "rm", "env", "dirname", "test"):
            if not (tools / name).exists():
                (tools / name).symlink_to(f"/usr/bin/{name}")
        for name, body in pretend.items():
            (tools / name).write_text(f"#!/bin/bash\n{body}\n")
            (tools / name).chmod(0o755)
        (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
        return subprocess.run(["/bin/bash", ROOT / "tools/install.sh", tmp_path / "list.txt"],
                              capture_output=True, text=True, check=False, timeout=30,
                              env={"PATH": str(tools),
                                   "FRESHET_POLICY_GUARD": str(tmp_path / "guard")})

    return run


def test_nothing_missing_says_nothing(install):
    result = install(["# a comment", "", "have", "other|have  # either"], 1000, False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_command_from_elsewhere_will_do(install):
    result = install(["lack|command:env", "other|command:bash"], 1000, False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = install(["lack|command:absent"], 0, False)
    assert "Installing: lack" in result.stdout.splitlines()


def test_a_person_without_sudo_gets_the_line_to_run(install):
    result = install(["have", "lack", "first|second"], 1000, False)
    assert result.returncode == 1
    assert "apt-get install --no-install-recommends lack second" in result.stderr


@pytest.mark.parametrize("user, sudo", [(0, False), (1000, True)])
def test_what_is_missing_is_named_and_installed(install, user, sudo, tmp_path):
    result = install(["have", "lack", "first|second"], user, sudo)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "Installing: lack second" in lines
    assert lines[-1].startswith("apt-get ")
    assert "install --no-install-recommends lack second guard=yes" in lines[-1]
    assert not (tmp_path / "guard").exists()


def test_a_guard_that_was_there_stays(install, tmp_path):
    (tmp_path / "guard").write_text("mine")
    assert install(["lack"], 0, False).returncode == 0
    assert (tmp_path / "guard").read_text() == "mine"
