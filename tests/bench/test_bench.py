"""The benchmark itself runs: a small round, whose speed nobody judges here."""

from __future__ import annotations

from tests.bench.__main__ import measure_round


def test_a_small_round_measures_push_and_pull_beside_their_references():
    found = measure_round(visits=40, batch=20)
    assert min(found.push, found.bare_push, found.pull, found.bare_pull) > 0
    # Entry, outcome, visit, fact, credit, record, feed: what one visit leaves behind.
    assert 7 <= found.rows_a_visit < 9
