"""Decisions that stories about a fund take in one line."""

from __future__ import annotations

from typing import Any

from server.funds.allocating import approve_card, propose_card
from server.funds.issuing import issue_card
from server.funds.office_queries import AllocationState, allocations_by_id
from server.funds.refusals import FundRefusal, FundRefusedError
from tests.support.funds import FundOffice

# What a card for three months costs in May 2020: 4.5 % of 1,490,000 a month.
CARD = 201_150


def refusal(work: Any, *arguments: Any, **named: Any) -> FundRefusal:
    """Return the code with which a decision is refused."""
    try:
        work(*arguments, **named)
    except FundRefusedError as error:
        return error.code
    raise AssertionError("the decision was taken")


def allocation(office: FundOffice, allocation_id: str) -> AllocationState:
    """Return an allocation as it stands."""
    found: AllocationState = office.read(allocations_by_id, [allocation_id])[allocation_id]
    return found


def approved(office: FundOffice, nomination_id: str | None = None) -> str:
    """Return the id of an approved allocation, of somebody new where nobody is said."""
    found = office.act(propose_card, nomination_id or office.nominate())
    office.second(approve_card, found)
    return str(found)


def issued(office: FundOffice, **named: Any) -> str:
    """Return the id of an allocation whose card was issued today."""
    found = approved(office)
    office.act(issue_card, found, "0123456789", office.day, **named)
    return found
