"""The benchmark itself runs: each part in a tiny size, whose speed nobody judges here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import (
    first_syncs,
    five_o_clock,
    importing,
    on_postgres,
    public_page,
    pushing,
    receipt_making,
    usual_sync,
    worker_memory,
)
from tests.bench.__main__ import PARTS, PEERS, chosen_parts, main, run_parts
from tests.bench.goals import GOALS, Goal, Verdict, judge
from tests.bench.installing import CACHE_VARIABLE
from tests.bench.parts import Part, Scale
from tests.bench.peers import job
from tests.bench.processes import NotRunError
from tests.bench.wire import RefusedError

TINY = Scale(
    records=40,
    households=20,
    large_batch=20,
    small_batch=10,
    postgres_tablets=2,
    first_syncs=3,
    first_sync_rows=30,
    usual_syncs=2,
    memory_minutes=0.02,
    load_tablets=6,
    load_entries_per_s=120,
    load_minutes=0.02,
    receipts=10,
    import_rows=60,
    import_tablets=2,
    import_quiet_s=3.0,
    donations=60,
    page_requests=5,
)


def test_a_small_round_measures_push_and_pull_beside_their_references():
    found = pushing.PUSH.measure(TINY)
    # Processor time comes in ticks of a hundredth of a second, too coarse for forty visits.
    assert min(value for name, value in found.items() if not name.startswith("cpu_")) > 0
    # Entry, outcome, visit, fact, credit, record, feed: what one visit leaves behind.
    assert 7 <= found["rows_a_visit"] < 9
    assert 300 < found["entry_bytes"] < 400


def test_pushes_on_postgresql_go_through_two_worker_processes():
    found = on_postgres.PART.measure(TINY)
    assert found["push_per_s"] > 0
    assert found["workers"] == on_postgres.WORKERS


def test_an_import_comes_to_its_end_while_tablets_push():
    found = importing.PART.measure(TINY)
    assert found["pushes"] >= TINY.import_tablets
    assert min(found.values()) > 0


def test_the_public_page_is_asked_for_while_gifts_come():
    found = public_page.PART.measure(TINY)
    assert min(found.values()) > 0
    assert found["median_ms"] <= found["p95_ms"]


def test_first_syncs_at_once_bring_every_tablet_the_whole_commune():
    found = first_syncs.PART.measure(TINY)
    assert found["rows_a_tablet"] >= TINY.first_sync_rows
    assert 0 < found["median_s"] <= found["slowest_s"]


def test_the_usual_sync_is_one_round_trip_of_thirty_entries_and_fifty_rows():
    found = usual_sync.PART.measure(TINY)
    assert (found["most_round_trips"], found["entries"], found["rows"]) == (1, 30, 50)
    # Compressed: the texts of thirty entries alone are more than this.
    assert 1_000 < found["up_bytes"] < 30 * 250
    assert found["p95_server_ms"] > 0


def test_memory_is_read_of_a_worker_under_load():
    found = worker_memory.PART.measure(TINY)
    assert found["most_mib"] >= found["idle_mib"] > 20
    assert found["entries_per_s"] > 0


def test_the_evening_load_counts_what_was_answered_and_what_failed():
    found = five_o_clock.PART.measure(TINY)
    assert found["failed"] == 0
    assert 0 < found["median_s"] <= found["p95_s"]


def test_receipts_are_made_and_drawn():
    assert min(receipt_making.PART.measure(TINY).values()) > 0


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_that_cannot_be_installed_is_not_run_and_says_why(peer, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(NotRunError, match=r"not installed|ended with"):
        peer.measure(TINY)


def test_a_part_that_is_not_run_is_told_and_fails_a_strict_run_alone(capsys, monkeypatch, tmp_path):
    def cannot(_scale):
        raise NotRunError("no such thing here")

    monkeypatch.setattr("tests.bench.__main__.chosen_parts", lambda _only: [Part("peer", "as is", cannot)])
    assert main(["--rounds", "2", "--json", str(tmp_path / "run.json")]) == 0
    assert main(["--rounds", "2", "--strict"]) == 1
    assert "NOT RUN: no such thing here" in capsys.readouterr().out
    assert json.loads((tmp_path / "run.json").read_text())["parts"]["peer"]["not_run"] == "no such thing here"


def test_a_part_that_fails_fails_the_run_and_lets_the_others_go_on(capsys, monkeypatch):
    def breaks(_scale):
        raise RefusedError("an entry is quarantined")

    parts = [Part("broken", "", breaks), Part("sound", "", lambda _scale: {"per_s": 1.0})]
    monkeypatch.setattr("tests.bench.__main__.chosen_parts", lambda _only: parts)
    assert main(["--rounds", "1"]) == 1
    said = capsys.readouterr().out
    assert "FAILED: RefusedError: an entry is quarantined" in said
    assert "round 1: sound per_s 1" in said


def test_the_median_of_the_rounds_is_taken_and_a_sample_of_its_own_runs_once():
    values = iter([1.0, 9.0, 2.0])
    repeated = Part("repeated", "", lambda _scale: {"per_s": next(values)})
    alone = Part("alone", "", lambda _scale: {"s": 5.0}, repeats=False)
    run = run_parts([repeated, alone], TINY, rounds=3, seed=1, tell=lambda _line: None)
    assert run.medians() == {"repeated": {"per_s": 2.0}, "alone": {"s": 5.0}}
    assert len(run.samples["alone"]) == 1


def test_a_goal_is_met_not_met_or_not_run():
    figures = {"push": {"push_per_s": 30.0}, "peer": {"push_per_s": 10.0}, "wait": {"s": 2.0}}
    goals = (
        Goal("ratio", ("push", "push_per_s"), 3, reference=("peer", "push_per_s")),
        Goal("too slow", ("push", "push_per_s"), 31),
        Goal("at most", ("wait", "s"), 1.9, is_least=False),
        Goal("no reference", ("push", "push_per_s"), 3, reference=("absent", "push_per_s")),
    )
    found = [(item.value, item.verdict) for item in judge(figures, goals)]
    assert found == [
        (3.0, Verdict.MET),
        (30.0, Verdict.NOT_MET),
        (2.0, Verdict.NOT_MET),
        (None, Verdict.NOT_RUN),
    ]


def test_every_goal_names_a_part_and_every_part_can_be_chosen():
    names = {part.name for part in PARTS}
    assert {goal.figure[0] for goal in GOALS} <= names
    assert {goal.reference[0] for goal in GOALS if goal.reference} <= names
    assert [part.name for part in chosen_parts("pull,load")] == ["push", "load"]
    assert "load" not in {part.name for part in chosen_parts(None)}


def test_the_page_on_performance_explains_every_part():
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    assert [part.name for part in PARTS if f"| `{part.name}` |" not in page] == []


def test_peers_are_given_records_as_large_as_our_entries():
    sizes = [len(job.as_body(record)) for record in job.records(20)]
    assert min(sizes) >= 320
    assert max(sizes) <= 380
