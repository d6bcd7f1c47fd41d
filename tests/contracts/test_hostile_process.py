"""Hostile bodies against a real server process, few of what `make hostile` sends by the ten thousand."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.contracts.hostile.checking import FAMILIES, GROWTH_MOST_KIB, Report, faults_of
from tests.contracts.hostile.firing import a_range, aimed, run
from tests.contracts.hostile.lanes import JSON, Lane, Shot
from tests.contracts.hostile.line import Heard, Line
from tests.contracts.hostile.values import CANARY
from tests.support.raw_tablet import ENROLMENTS, SYNC

BODIES = 1_500
_PROBLEM = {"content-type": "application/problem+json"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hostile_bodies_get_no_5xx_and_leave_the_server_as_large_as_it_was(tmp_path):
    """[R5.1] Whatever is wrong inside an entry quarantines it, and the others go through.

    [R9.2] Limits are enforced while reading. [R9.5] An entry that breaks a limit is quarantined alone.
    [X2] A problem repeats no value that came in.
    """
    report = run(tmp_path, BODIES, seed=1)
    assert report.all_faults == []
    assert report.shot == BODIES
    assert {family.name for family in FAMILIES} == report.statuses.keys()


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A connection to a server as it runs in production."""
    with a_range(tmp_path_factory.mktemp("office"), seed=2) as firing:
        line = Line(firing.serving.port)
        yield line
        line.close()


@pytest.mark.parametrize("path", [SYNC, ENROLMENTS, "/login"])
@pytest.mark.parametrize(
    ("framing", "sent"),
    [
        ("Transfer-Encoding: chunked", b"zz\r\n{}"),
        ("Transfer-Encoding: chunked", b"5\r\n{}"),
        ("Transfer-Encoding: chunked", b"ffffffffffffffff\r\n{}"),
        ("Transfer-Encoding: chunked", b"2\r\n{}XX"),
        ("Content-Length: 10", b"{}"),
    ],
)
def test_a_body_that_breaks_off_is_the_senders_fault(line, path, framing, sent):
    form = "application/x-www-form-urlencoded" if path == "/login" else JSON
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {form}\r\n{framing}\r\n\r\n"
    heard = line.send(Shot(path, b"", {}, raw=head.encode("ascii") + sent))
    if path == "/login":
        # A form that is cut short is read as far as it goes; then it lacks its token.
        assert heard.status in {400, 403}, heard.body
    else:
        assert (heard.status, heard.is_problem) == (400, True), heard.body
        assert heard.content["code"] == "body_unreadable"


def a_lane(seed):
    lane = Lane(Random(seed), lambda: "A" * 27)
    lane.renew()
    lane.certificate = {"text": "{}", "kid": "0" * 8, "signature": "AA"}
    return lane


def test_the_same_seed_makes_the_same_bodies():
    """Only signatures differ, which are random: ECDSA's own, and those inside receipt tokens."""
    first, second = ([aimed(7, n, lane) for n in range(300)] for lane in (a_lane(3), a_lane(3)))
    signed = ("receipt", "signatures", "lengths")
    bodies = [
        [
            (family.name, shot.path, shot.body)
            for family, shot in shots
            if not any(s in family.name for s in signed)
        ]
        for shots in (first, second)
    ]
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) > 150
    assert [shot.body for _, shot in first] != [aimed(8, n, a_lane(3))[1].body for n in range(300)]


FAMILY = next(family for family in FAMILIES if family.name == "envelope: random JSON")
PUSHED = next(family for family in FAMILIES if family.name == "entry: any text")


def a_problem(status, code="body_invalid", **more):
    content = {"type": "urn:x", "title": "x", "status": status, "code": code} | more
    return Heard(status, _PROBLEM, json.dumps(content).encode())


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        (a_problem(500, "internal_error"), "500 is not one that this may get"),
        (a_problem(409), "409 is not one that this may get"),
        (a_problem(413), "413 is not declared"),
        (a_problem(422, "made_up"), "no problem of the contract"),
        (a_problem(422, field=CANARY), "a value came back"),
        (Heard(422, _PROBLEM, b'{"status": 422}'), "no problem of the contract"),
        (Heard(400, {"content-type": "text/html"}, b"<p>"), "an error as text/html"),
        (Heard(0, {}, b""), "0 is not one that this may get"),
    ],
)
def test_a_planted_bad_answer_is_found(heard, fault):
    declared = {SYNC: frozenset({200, 400, 401, 409, 415, 422, 500})}
    assert fault in list(faults_of(FAMILY, Shot(SYNC, b"", {}), heard, declared))
    assert list(faults_of(FAMILY, Shot(SYNC, b"", {}), a_problem(422), declared)) == []


@pytest.mark.parametrize(
    ("verdicts", "fault"),
    [
        ([("quarantined", None)], "1 verdicts of 2 entries"),
        ([("quarantined", None), ("quarantined", None)], "the sound entry behind it"),
        (
            [("quarantined", "judgement_failed"), ("applied", None)],
            "an entry raised an exception in the server",
        ),
        ([("quarantined", CANARY), ("applied", None)], "a value came back"),
    ],
)
def test_a_planted_bad_verdict_is_found(verdicts, fault):
    shown = [
        {"seq": n, "id": "x", "verdict": verdict, "code": code, "field": None, "flags": []}
        for n, (verdict, code) in enumerate(verdicts, start=1)
    ]
    limits = dict.fromkeys(
        ("batch_entries", "body_bytes", "inflated_bytes", "entry_bytes", "json_depth", "text_characters"), 1
    ) | dict.fromkeys(("list_items", "pull_rows", "amount_vnd"), 1)
    ack = {"text": "{}", "kid": "0" * 8, "signature": "AA"}
    content = {"ack": ack, "verdicts": shown, "outcomes": [], "grants": None, "rows": [], "limits": limits}
    content["recovering"] = False
    heard = Heard(200, {}, json.dumps(content).encode())
    found = list(faults_of(PUSHED, Shot(SYNC, b"", {}, entries=("a", "b")), heard, {}))
    assert [each for each in found if each.startswith(fault)], found


def test_a_planted_growth_and_a_class_that_never_fired_are_found():
    report = Report(warm_kib=1_000, end_kib=1_000 + GROWTH_MOST_KIB)
    for family in FAMILIES[1:]:
        report.statuses[family.name][200] += 1
        report.verdicts[family.name]["quarantined"] += 1
    assert report.all_faults == [f"never shot: {FAMILIES[0].name}"]
    report.end_kib += 1
    report.verdicts[PUSHED.name].clear()
    assert len(report.all_faults) == 3
