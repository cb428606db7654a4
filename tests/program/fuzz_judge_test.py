# SPDX-License-Identifier: MIT
"""What counts as finding a planted bug: the report of that bug, and of nothing else."""
import re
import subprocess

import pytest
from conftest import ROOT

OVERFLOW = """\
INFO: Seed: 1
=================================================================
==7==ERROR: AddressSanitizer: {kind} on address 0x602 at pc 0x55 bp 0x7f sp 0x7f
{access} of size 17 at 0x602 thread T0
    #0 0x55 in __asan_memcpy (build/planted/fuzz/wire_extension_fuzz+0xe8fd9)
    #1 0x55 in {function} core/wire/wire_extension.c:53:27
    #2 0x55 in LLVMFuzzerTestOneInput fuzz/wire_extension_fuzz.c:65:9

Address 0x602 is located in stack of thread T0 at offset 48 in frame
    #0 0x55 in {other} core/wire/wire_extension.c:46

SUMMARY: AddressSanitizer: {kind} core/wire/wire_extension.c:53:27 in {function}
"""


def overflow(kind="stack-buffer-overflow", access="WRITE", function="read_ip", other="read_ip"):
    return OVERFLOW.format(kind=kind, access=access, function=function, other=other)


def check(text):
    return f"freshet: internal check failed: {text}\n==7== ERROR: libFuzzer: deadly signal\n"


def judge(tmp_path, target, text):
    log = tmp_path / "log"
    log.write_text(text)
    done = subprocess.run([ROOT / "tools/fuzz.sh", "judge", target, log], capture_output=True,
                          text=True, check=False, timeout=60)
    assert (done.returncode == 0) == ("found it" in done.stdout), done.stdout + done.stderr
    return done.returncode == 0


def test_the_report_of_the_planted_bug_counts(tmp_path):
    assert judge(tmp_path, "wire_extension", overflow())
    assert judge(tmp_path, "krpc", check("id.length == DHT_ID_SIZE (fuzz/krpc_fuzz.c:28)"))


@pytest.mark.parametrize("text", [
    "",
    "Done 1000 runs in 60 second(s)\n",
    "==7== ERROR: libFuzzer: timeout after 10 seconds\n    #1 0x55 in read_ip a.c:1\n",
    "==7== ERROR: libFuzzer: out-of-memory (used: 2049Mb; limit: 2048Mb)\n",
    "==7==ERROR: LeakSanitizer: detected memory leaks\n",
    "build/planted/fuzz/wire_extension_fuzz: No such file or directory\n",
    overflow(kind="heap-buffer-overflow"),
    overflow(access="READ"),
    overflow(function="read_inside", other="read_inside"),
    overflow(function="read_inside"),
    check("at <= size (fuzz/wire_extension_fuzz.c:12)"),
    check("at <= size (a.c:12)") + overflow(),
])
def test_any_other_end_does_not_count(tmp_path, text):
    assert not judge(tmp_path, "wire_extension", text)


def test_every_target_says_what_it_covers_and_finds():
    targets = sorted((ROOT / "fuzz").glob("*_fuzz.c"))
    assert targets
    for target in targets:
        head = target.read_text().partition("#include")[0]
        assert "covers:" in head, target.name
        assert re.search(r"finds: \S", head), target.name
        planted = re.search(r"planted: (\S+\.c)", head)
        assert planted and "#ifdef FRESHET_PLANTED_BUG" in (
            (ROOT / planted[1]).read_text().replace("#ifndef", "#ifdef")), target.name
