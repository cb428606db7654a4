# SPDX-License-Identifier: MIT
"""freshet sim: lists its scenarios, tells what happened, and is the same every time."""
import json


def test_sim_lists_what_there_is(freshet):
    names = [line.split()[0] for line in freshet("sim", "--list").stdout.splitlines()]
    assert {"two_peers", "flash_crowd", "seed_leaves", "free_riders", "poisoner", "crash_restart",
            "tracker_loss", "storm", "local_discovery"} <= set(names)


def test_sim_tells_a_person_what_happened(freshet):
    done = freshet("sim", "two_peers", "--nodes", "4", "--size", "1M", "-v")
    assert done.returncode == 0
    for words in ("4 nodes, 1.0 MiB", "peers complete", "no schedule beats", "went well"):
        assert words in done.stdout
    assert not done.stderr


def test_sim_gives_facts_as_json_the_same_for_one_seed(freshet):
    runs = [freshet("sim", "two_peers", "--seed", seed, "--json", "--check")
            for seed in ("7", "7", "8")]
    facts = [json.loads(run.stdout) for run in runs]
    assert all(one["passed"] and one["last_s"] > 0 for one in facts)
    assert runs[0].stdout == runs[1].stdout
    assert facts[0]["digest"] != facts[2]["digest"]
    assert [node["role"] for node in facts[0]["nodes"]] == ["seed", "peer"]
    assert facts[0]["nodes"][1]["received"] == facts[0]["size"]


def test_sim_refuses_what_it_does_not_know(freshet):
    assert freshet("sim", "peace_on_earth").returncode == 2
    assert freshet("sim").returncode == 2
    assert freshet("sim", "two_peers", "--nodes", "1").returncode == 2
    assert freshet("sim", "two_peers", "--size", "0").returncode == 2
