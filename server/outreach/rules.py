"""Pure rules of outreach: from an entry to the fact that quotas count."""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.rate_tables import RateTables
from schemas.rates import RateFault, enrolment_quote
from server.quotas.rules import Fact
from sync.codes import Flag, RateCode
from sync.judgement import Arrival

FACT_KINDS = {
    "visit_recorded": "visit",
    "vssid_installed": "install",
    "enrolment_recorded": "enrolment",
}
_STATUS_FIELD = {
    "visit_recorded": "disposition",
    "vssid_installed": "state",
    "enrolment_recorded": "status",
}


def promoter_of(body: dict[str, Any]) -> str | None:
    """Return who persuaded as "kind:id", or None."""
    promoter = body.get("promoter")
    return None if promoter is None else f"{promoter['kind']}:{promoter['id']}"


def fact_of(arrival: Arrival, subject: str) -> Fact:
    """Return the fact that an outreach entry states about `subject`."""
    assert arrival.area_key is not None
    body = arrival.body
    return Fact(
        fact_id=arrival.entry_id,
        kind=FACT_KINDS[arrival.kind],
        scheme=body.get("scheme"),
        status=body[_STATUS_FIELD[arrival.kind]],
        subject=subject,
        agent_id=arrival.worker_id,
        team_id=arrival.team_id,
        organisation_key=arrival.organisation_key,
        promoter=promoter_of(body),
        area_key=arrival.area_key,
        in_area=arrival.in_area,
        campaign=body["campaign"],
        business_day=arrival.business_day,
        upper_ms=arrival.corrected.upper_ms,
        # What others pay wholly is paid for from the start.
        paid=arrival.kind == "enrolment_recorded" and is_paid(0, body["amount_due_vnd"]),
        voided=False,
    )


def is_paid(paid_vnd: int, amount_due_vnd: int) -> bool:
    """Return whether an enrolment's settled payments cover what is due."""
    return paid_vnd >= amount_due_vnd


_INCOME_CODES = {RateCode.INCOME_BELOW_FLOOR, RateCode.INCOME_ABOVE_CEILING, RateCode.INCOME_OFF_STEP}


def expected_due(tables: RateTables, body: dict[str, Any], on: date) -> tuple[int | None, tuple[Flag, ...]]:
    """Return what the tables of a day say is due for an enrolment, and the flags about what it says.

    None without a flag where the agent did not declare what the tables need.
    """
    found = enrolment_quote(tables, body, on)
    if isinstance(found, RateFault):
        if found.code is RateCode.TERMS_MISSING:
            return None, ()
        is_income = found.code in _INCOME_CODES
        return None, (Flag.INCOME_NOT_ALLOWED if is_income else Flag.AMOUNT_UNCHECKED,)
    return found.due_vnd, () if found.due_vnd == body["amount_due_vnd"] else (Flag.AMOUNT_DIFFERS,)
