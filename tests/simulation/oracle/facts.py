"""Figures and money as pure functions over what is in effect: the order of arrival never matters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.simulation.oracle.office import DAY_MS, ZONE_MS, Office

CLOSE_DAYS = 15


@dataclass
class Fact:
    """What counts: an entry in effect, or voided after it was."""

    entry_id: str
    kind: str
    scheme: str | None
    status: str
    subject: str
    agent: str
    promoter: str | None
    in_area: bool
    campaign: int | None
    day: int
    upper_ms: int
    is_paid: bool
    is_voided: bool


Figures = dict[tuple[int, str, str, str], Counter[str]]
Credits = dict[tuple[str, str], str]


def credits_of(facts: Iterable[Fact], office: Office) -> tuple[Credits, Figures]:
    """Return (entry, indicator) → state, and (campaign, indicator, holder kind, holder) → counts."""
    ordered = sorted(facts, key=lambda fact: (fact.upper_ms, fact.entry_id))
    states: Credits = {}
    figures: Figures = defaultdict(Counter)
    for indicator in office.indicators:
        _count(indicator, ordered, office, states, figures)
    return states, figures


def _count(
    indicator: dict[str, Any], ordered: list[Fact], office: Office, states: Credits, figures: Figures
) -> None:
    taken: set[Any] = set()
    used: Counter[Any] = Counter()
    for fact in ordered:
        holder = fact.agent if indicator["credits"] == "agent" else fact.promoter
        if not _is_about(indicator, fact) or holder is None:
            continue
        campaign = fact.campaign or 0
        shown = campaign if indicator["counts_in"] == "campaign" else 0
        state = _stopped(indicator, fact, office)
        if state is None and indicator["is_unique"]:
            place = (campaign if indicator["unique_within"] == "campaign" else 0, fact.subject)
            state = "duplicate" if place in taken else None
            taken.add(place)
        if state is None and indicator["cap"] is not None:
            by = fact.subject if indicator["cap_per"] == "subject" else holder
            if used[shown, by] >= indicator["cap"]:
                state = "over_limit"
            else:
                used[shown, by] += 1
        states[fact.entry_id, indicator["code"]] = state or "counted"
        figures[shown, indicator["code"], indicator["credits"], holder][state or "counted"] += 1


def _is_about(indicator: dict[str, Any], fact: Fact) -> bool:
    if fact.kind != indicator["fact_kind"] or indicator["scheme"] not in {None, fact.scheme}:
        return False
    if indicator["statuses"] and fact.status not in indicator["statuses"]:
        return False
    if indicator["counts_in"] == "campaign":
        return fact.campaign is not None and indicator["campaign"] in {None, fact.campaign}
    return True


def _stopped(indicator: dict[str, Any], fact: Fact, office: Office) -> str | None:
    if fact.is_voided:
        return "voided"
    if not fact.in_area:
        return "out_of_area"
    if indicator["counts_in"] == "campaign" and fact.campaign is not None:
        first, last = office.campaigns[fact.campaign]
        closes_ms = (last + CLOSE_DAYS + 1) * DAY_MS - ZONE_MS
        if not first <= fact.day <= last or fact.upper_ms >= closes_ms:
            return "late"
    if indicator["credited_when"] == "paid" and not fact.is_paid:
        return "pending"
    return None


@dataclass
class Payment:
    """Money that arrived: `state` arrived, settled or voided."""

    entry_id: str
    worker: str
    method: str
    amount_vnd: int
    state: str
    scheme: str | None
    allocations: list[tuple[str, int]]


def balances(payments: Iterable[Payment]) -> Counter[str]:
    """Return account → debits less credits, accounts at zero left out."""
    found: Counter[str] = Counter()
    for payment in payments:
        if payment.state == "voided":
            continue
        where = "transfer_claims" if payment.method == "transfer" else "cash_in_hand"
        found[f"{where}:{payment.worker}"] += payment.amount_vnd
        if payment.state == "settled":
            found[f"contributions_due:{payment.scheme}"] -= payment.amount_vnd
        else:
            found[f"suspense:{payment.worker}"] -= payment.amount_vnd
    return Counter({account: amount for account, amount in found.items() if amount})
