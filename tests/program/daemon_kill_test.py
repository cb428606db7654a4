# SPDX-License-Identifier: MIT
"""A daemon that is killed a hundred times loses nothing and serves nothing wrong."""
import kill_rounds


def test_a_hundred_kills_lose_nothing(tmp_path):
    kills = kill_rounds.run(tmp_path, 100, seed=1)
    print(kills.told())
    # The load was one: every kind of wish was granted, many times, and struck.
    assert all(count >= 20 for count in kills.counts.values()), kills.counts
    assert all(count >= 3 for count in kills.struck.values()), kills.struck
    # And what it serves was looked at.
    assert kills.fetched == {"torrents": 7, "seeds": 3}
