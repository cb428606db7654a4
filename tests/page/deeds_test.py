# SPDX-License-Identifier: MIT
"""On the page: what is done to many torrents at once, by keys, by menus and dialogs."""
from daemons import daemons  # noqa: F401, a fixture
from page_test import add_small, ask


def test_labels_of_many_change_where_they_were_touched(daemons, browse, tmp_path):
    count = 260
    daemon = daemons()
    add_small(daemon, tmp_path, [f"torrent {number:04}" for number in range(count)])
    ids = sorted(ask(daemon, "GET", "/torrents?fields=id&limit=1000")["ids"])
    thirds = set(ids[::3])
    ask(daemon, "PATCH", "/torrents", {"ids": ids, "labels": ["everywhere"]})
    ask(daemon, "PATCH", "/torrents", {"ids": list(thirds), "labels": ["third", "everywhere"]})
    ask(daemon, "PATCH", f"/torrents/{ids[1]}", {"labels": ["everywhere", "a\u200fb"]})
    browse("labelsOfMany", daemon, count=count, thirds=len(thirds))
    rows = ask(daemon, "GET", "/torrents?limit=1000")["rows"]
    assert {row["id"]: row["labels"] for row in rows} == {
        number: ["third", "new"] if number in thirds else ["new"] for number in ids}


def test_a_range_is_all_that_lies_between(daemons, browse, tmp_path):
    daemon = daemons()
    names = [f"torrent {number:04}" for number in range(700)]
    add_small(daemon, tmp_path, names)
    browse("ranges", daemon, names=names)
