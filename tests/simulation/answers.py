"""Holds one answer of the server against what the oracle says it must be."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation.oracle.auditor import Expected, Oracle
from tests.simulation.violation import require, require_equal

ENROLMENTS = "/api/v1/enrolments"


def require_answer(
    oracle: Oracle, path: str, expected: Expected, status: int, answer: dict[str, Any]
) -> None:
    """Raise Violation where the answer is not as expected."""
    require(status < 500, "20 no undeclared 5xx", status, answer)
    found = (status, answer.get("code") if status != 200 else None, answer.get("expected_seq"))
    wanted = (expected.status, expected.code, expected.expected_seq)
    require_equal(found, wanted, "R3/R4 how a request is met", path)
    if status != 200:
        return
    if path == ENROLMENTS:
        require_equal(answer["number"], expected.number, "N2 the installation's number")
        return
    _require_acknowledged(oracle, expected, answer)
    verdicts = [
        (item["seq"], item["id"], item["verdict"], item["code"], frozenset(item["flags"]))
        for item in answer["verdicts"]
    ]
    wanted_verdicts = [
        (item.seq, item.entry_id, item.verdict, item.code, item.flags) for item in expected.verdicts
    ]
    for shown, meant in zip(verdicts, wanted_verdicts, strict=False):
        require_equal(shown, meant, "2/4 one verdict for ever")
    require_equal(len(verdicts), len(wanted_verdicts), "2 exactly one verdict for each entry")
    outcomes = {item["id"]: (item["state"], item["code"]) for item in answer["outcomes"]}
    require_equal(outcomes, expected.outcomes, "R2.2 outcomes in an answer")
    _require_rows(oracle, expected, answer)


def _require_acknowledged(oracle: Oracle, expected: Expected, answer: dict[str, Any]) -> None:
    ack = json.loads(answer["ack"]["text"])
    require_equal(
        (ack["acked_seq"], ack["head"]), (expected.acked_seq, expected.head), "1 the acknowledgement"
    )
    require_equal(ack["epoch"], oracle.epoch, "14 the epoch")
    require_equal(ack["durable_seq"], expected.durable_seq, "15 the durable mark")
    require_equal(answer["recovering"], oracle.is_recovering, "R11.3 whether the office recovers")


def _require_rows(oracle: Oracle, expected: Expected, answer: dict[str, Any]) -> None:
    """No byte of another scope, nothing half done, everything as it stands after this commit."""
    if expected.scopes is None:
        require_equal((answer["grants"], answer["rows"]), (None, []), "P1 rows that nobody asked for")
        return
    grants = {grant["scope"]: grant for grant in answer["grants"]}
    require_equal(sorted(grants), expected.scopes, "11/17 the scopes granted")
    contents, figures = oracle.contents()
    for scope, grant in grants.items():
        require_equal(grant["epoch"], oracle.epoch, "14 the epoch of a scope", scope)
        if scope.startswith("area:"):
            require_equal(grant["count"], len(contents[scope]), "9 the count of a scope", scope)
    for row in answer["rows"]:
        scope, key = row["scope"], (row["type"], row["id"])
        require(scope in grants, "11 a row of another scope", scope, key)
        if scope == "office":
            continue
        if row["type"] == "quota_figure":
            require_figure(figures[scope], row["id"], row["record"])
            continue
        wanted = contents[scope].get(key)
        if row["op"] == "remove":
            require(wanted is None, "9 a record removed that is there", scope, key)
            continue
        require(wanted is not None, "3/11 a record that is not of this scope", scope, key, row["record"])
        assert wanted is not None
        shown = {name: row["record"].get(name) for name in wanted}
        require_equal(shown, wanted, "3 a record as it stands", scope, key)


def require_figure(figures: dict[str, dict[str, int]], record_id: str, record: dict[str, Any]) -> None:
    """Raise Violation where a figure is not what the facts come to; what counts nothing is zero."""
    wanted = figures.get(record_id)
    states = ("counted", "pending", "duplicate", "over_limit", "out_of_area", "voided", "late")
    shown = {state: record[state] for state in states}
    require_equal(shown, wanted or dict.fromkeys(states, 0), "7 a quota figure", record_id)
