"""Hypothesis strategies of facts that meet each other in few subjects, agents, teams and days."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import strategies as st

from server.quotas.rules import Fact
from tests.server.quotas.builders import DRIVE, LAUNCH, LAUNCH_DAY, a_fact

_DAYS = (LAUNCH_DAY, LAUNCH_DAY, date(2020, 5, 22), date(2020, 5, 3), date(2020, 6, 20))


@st.composite
def facts(draw: st.DrawFn, number: int, *, in_any_state: bool) -> Fact:
    """One fact with this number; paid and voided only `in_any_state`."""
    kind = draw(st.sampled_from(("enrolment", "enrolment", "enrolment", "install")))
    day = draw(st.sampled_from(_DAYS))
    return a_fact(
        f"fact-{number}",
        day=day,
        hour=draw(st.integers(7, 9)),
        kind=kind,
        scheme=draw(st.sampled_from(("voluntary", "health"))) if kind == "enrolment" else None,
        status=draw(st.sampled_from(("new", "renewal", "activated"))),
        subject=draw(st.sampled_from(("person-1", "person-2", "person-3"))),
        agent_id=draw(st.sampled_from(("agent-a", "agent-b"))),
        team_id=draw(st.sampled_from((None, "team-1", "team-2"))),
        promoter=draw(st.sampled_from((None, "officer:w1", "officer:w2"))),
        in_area=draw(st.sampled_from((True, True, True, False))),
        campaign=draw(st.sampled_from((None, LAUNCH, LAUNCH, DRIVE))),
        paid=in_any_state and draw(st.booleans()),
        voided=in_any_state and draw(st.sampled_from((False, False, True))),
    )


@st.composite
def facts_in_any_state(draw: st.DrawFn, *, most: int = 10) -> list[Fact]:
    """Facts in whatever state."""
    count = draw(st.integers(0, most))
    return [draw(facts(number, in_any_state=True)) for number in range(count)]


@st.composite
def histories(draw: st.DrawFn, *, most: int = 8) -> tuple[list[list[tuple[str, str]]], dict[str, Fact]]:
    """Batches of (operation, fact id) in an order that could happen, and the facts as first added.

    Operations: add, pay, unpay, void, merge (the fact's subject becomes person-1).
    """
    count = draw(st.integers(1, most))
    added = {
        fact.fact_id: fact for fact in (draw(facts(number, in_any_state=False)) for number in range(count))
    }
    places = []
    for fact_id in added:
        wanted = draw(st.lists(st.sampled_from(("pay", "unpay", "void", "merge")), max_size=3))
        marks = sorted(draw(st.lists(st.integers(0, 99), min_size=len(wanted) + 1, max_size=len(wanted) + 1)))
        places += [
            (mark, fact_id, place, each)
            for place, (mark, each) in enumerate(zip(marks, ["add", *wanted], strict=True))
        ]
    operations = [(operation, fact_id) for _mark, fact_id, _place, operation in sorted(places)]
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(operations))), max_size=4)))
    bounds = [0, *cuts, len(operations)]
    batches = [operations[start:end] for start, end in pairwise(bounds)]
    return [batch for batch in batches if batch], added
