# SPDX-License-Identifier: MIT
"""`make bench`, small: that it runs and keeps what it measured. How fast is not asked here."""
import json
import subprocess
import sys
import xml.etree.ElementTree

from conftest import PROGRAM, ROOT


def run_bench(results, *words):
    return subprocess.run([sys.executable, ROOT / "bench/bench.py", "--size", "3M", "--runs", "1",
                           "--only", "freshet", "--results", results, *words],
                          capture_output=True, text=True, timeout=120, check=False)


def kept(results):
    files = list(results.glob("*.json"))
    assert len(files) == 1
    return json.loads(files[0].read_text(encoding="utf-8"))


def test_bench_measures_and_keeps_its_numbers(tmp_path):
    reply = run_bench(tmp_path, "--freshet", PROGRAM)
    assert reply.returncode == 0, reply.stdout + reply.stderr
    result = kept(tmp_path)
    rows = {(row["section"], row["name"]): row for row in result["rows"]}
    assert set(rows) == {("transfer", "raw"), ("transfer", "freshet"), ("utp", "freshet"),
                         ("utp", "freshet tcp"), ("encryption", "freshet"),
                         ("encryption", "freshet rc4"), ("verify", "freshet"),
                         ("create v1", "freshet"), ("create v2", "freshet"),
                         ("create hybrid", "freshet")}
    for row in rows.values():
        assert len(row["samples"]) == 1
        assert row["median"]["seconds"] > 0
    assert result["size"] == 3 << 20
    assert str(tmp_path) not in json.dumps(result)


def test_bench_says_what_did_not_run(tmp_path):
    reply = run_bench(tmp_path, "--freshet", str(tmp_path / "nothing"), "--sections", "verify")
    assert reply.returncode == 1
    assert "is not built" in reply.stdout
    assert "failed" in kept(tmp_path)["rows"][0]


def test_the_bench_of_the_dht_measures_both_and_keeps_its_numbers(tmp_path):
    reply = subprocess.run([sys.executable, ROOT / "bench/bench_dht.py", "--runs", "1", "--seconds",
                            "0.2", "--sources", "8", "--rate", "1000", "--results", tmp_path],
                           capture_output=True, text=True, timeout=300, check=False)
    assert reply.returncode == 0, reply.stdout + reply.stderr
    result = kept(tmp_path)
    assert result["core"]["lookups"]["done"] == 2000
    assert set(result["core"]["queries"]) == {"ping", "find_node", "get_peers", "get_peers of 50"}
    rows = [row for row in result["rows"] if row["section"] != "memory"]
    assert len(rows) == 12 and not any("failed" in row for row in rows)
    for row in rows:
        assert row["median"]["taken_per_s"] > 0 and row["median"]["answered_per_s"] > 0, row


def test_the_bench_of_yielding_measures_and_its_run_can_be_drawn(tmp_path):
    reply = subprocess.run([sys.executable, ROOT / "bench/bench_yield.py", "--seconds", "3",
                            "--only", "LEDBAT++ alone", "--freshet", PROGRAM, "--results",
                            tmp_path], capture_output=True, text=True, timeout=120, check=False)
    assert reply.returncode == 0, reply.stdout + reply.stderr
    run, = kept(tmp_path)["runs"]
    assert run["name"] == "LEDBAT++ alone"
    assert [verdict["what"] for verdict in run["verdicts"]] == ["use of the link", "delay"]
    assert run["samples"]["columns"] == ["s", "upload 1", "delay_ms"]
    assert sum(row[1] for row in run["samples"]["rows"]) > 0
    drawn = subprocess.run([sys.executable, ROOT / "bench/draw_yield.py", *tmp_path.glob("*.json"),
                            "LEDBAT++ alone"], capture_output=True, text=True, timeout=60,
                           check=False)
    assert drawn.returncode == 0, drawn.stderr
    assert xml.etree.ElementTree.fromstring(drawn.stdout).tag.endswith("svg")
