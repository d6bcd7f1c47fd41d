"""The treasurer's pages: where funds stand, setting them up, and money that leaves the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, request

from server.access.wiring import current_account
from server.audit.changes import Change
from server.dashboard.wiring import look
from server.funds.buying import CARD_TERMS
from server.funds.office_queries import fund_by_number, payout_by_id
from server.funds.payouts import approve_payout as approve
from server.funds.payouts import cancel_payout as cancel
from server.funds.payouts import propose_premium as propose
from server.funds.setting_up import FundGiven
from server.funds.setting_up import amend_fund as amend
from server.funds.setting_up import create_fund as create
from server.funds.setting_up import mark_published as publish
from server.funds.wording import DONOR_CLASS_WORDS, PUBLICATION_STATE_WORDS, PUBLICATION_WORDS
from server.runtime import current_runtime
from server.treasury import bank_routes, card_routes, giving_routes
from server.treasury.forms import read_fund, read_publication
from server.treasury.lists import payout_lines
from server.treasury.overview import fund_page, glances, publications
from server.treasury.rules import CASH_FRESH_HOURS, CASH_LATE_HOURS
from server.treasury.wiring import (
    FUND,
    Refusal,
    answered,
    blueprint,
    decide,
    known_fund,
    require_of_fund,
    shown,
    typed,
)
from server.treasury.wording import CASH_AGE_WORDS, PAYOUT_WORDS
from sync.clock import local_day

__all__ = ["bank_routes", "blueprint", "card_routes", "giving_routes"]


@blueprint.get("")
def overview() -> Any:
    """Show every fund: what is here, what waits, and for whom."""
    with look() as seen:
        found = glances(seen.connection, seen.now_ms, current_runtime().config.time_zone)
    return shown("overview", glances=found, ages=CASH_AGE_WORDS, publication_words=PUBLICATION_WORDS)


@blueprint.get(f"/{FUND}")
def fund(number: int) -> Any:
    """Show where one fund stands."""
    with look() as seen:
        found = fund_page(seen.connection, number, seen.now_ms, current_runtime().config.time_zone)
    if found is None:
        abort(404)
    return shown(
        "fund",
        fund=found.glance.fund,
        shown=found,
        class_words=DONOR_CLASS_WORDS,
        ages=CASH_AGE_WORDS,
        hours=(CASH_FRESH_HOURS, CASH_LATE_HOURS),
        publication_words=PUBLICATION_WORDS,
        publication_states=PUBLICATION_STATE_WORDS,
    )


# --- setting up -----------------------------------------------------------------------------------


@blueprint.get("/new")
def new_fund() -> Any:
    """Show the form of a new fund."""
    return _new_fund(None, {})


def _new_fund(refusal: Refusal | None, fields: Mapping[str, str]) -> Any:
    return shown("new_fund", refusal=refusal, typed=fields, terms=CARD_TERMS)


@blueprint.post("/new")
def create_fund() -> Any:
    """Set a fund up."""

    def work() -> None:
        form = typed()
        number, given = form.whole("number"), read_fund(form)
        decide(lambda change, _desk: create(change, number, given))

    text = request.form.get("number", "").strip()
    number = int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 else 0
    return answered(work, _new_fund, ".fund" if number else ".overview", number=number or None)


@blueprint.get(f"/{FUND}/settings")
def settings(number: int) -> Any:
    """Show what was said of a fund, and what it has to publish."""
    return _settings(number, None, {})


def _settings(number: int, refusal: Refusal | None, fields: Mapping[str, str]) -> Any:
    found, zone = known_fund(number), current_runtime().config.time_zone
    with look() as seen:
        due = publications(seen.connection, found, local_day(seen.now_ms, zone), zone)
    return shown(
        "settings",
        fund=found,
        refusal=refusal,
        typed=fields,
        terms=CARD_TERMS,
        publications=due,
        publication_words=PUBLICATION_WORDS,
        publication_states=PUBLICATION_STATE_WORDS,
    )


@blueprint.post(f"/{FUND}/settings")
def amend_fund(number: int) -> Any:
    """Let a fund be as is said now."""
    known_fund(number)

    def work() -> None:
        given = read_fund(typed())
        decide(lambda change, _desk: _amended(change, number, given))

    return answered(
        work,
        lambda refusal, fields: _settings(number, refusal, fields),
        ".settings",
        number=number,
        done="amended",
    )


def _amended(change: Change, number: int, given: FundGiven) -> None:
    before = fund_by_number(change.connection, number)
    if amend(change, number, given) == before:
        # A change says what it was for, also where the form was sent as it had come.
        change.audit("fund_kept", str(number))


@blueprint.post(f"/{FUND}/publications")
def mark_published(number: int) -> Any:
    """Take down that something due by law was published."""
    known_fund(number)

    def work() -> None:
        kind = read_publication(typed())
        decide(lambda change, _desk: publish(change, number, kind))

    return answered(
        work,
        lambda refusal, _fields: _settings(number, refusal, {}),
        ".settings",
        number=number,
        done="published",
    )


# --- money out ------------------------------------------------------------------------------------


@blueprint.get(f"/{FUND}/payouts")
def payouts(number: int) -> Any:
    """Show money that is to leave the account, and the cards that nobody has paid."""
    return _payouts(number, None, {})


def _payouts(number: int, refusal: Refusal | None, fields: Mapping[str, str]) -> Any:
    found = known_fund(number)
    with look() as seen:
        lines, unpaid = payout_lines(seen.connection, number, current_account().account_id)
    return shown(
        "payouts",
        fund=found,
        refusal=refusal,
        typed=fields,
        lines=lines,
        unpaid=len(unpaid),
        unpaid_vnd=sum(card.issued_price_vnd or 0 for card in unpaid),
        payout_words=PAYOUT_WORDS,
    )


@blueprint.post(f"/{FUND}/payouts")
def propose_premium(number: int) -> Any:
    """Propose to pay the insurer for every card that nobody has paid."""
    known_fund(number)
    return answered(
        lambda: decide(lambda change, desk: propose(change, desk, number)),
        lambda refusal, fields: _payouts(number, refusal, fields),
        ".payouts",
        number=number,
        done="proposed",
    )


@blueprint.post(f"/{FUND}/payouts/<uuid:payout_id>/approval")
def approve_payout(number: int, payout_id: UUID) -> Any:
    """Approve what another person proposed."""
    row = str(payout_id)
    require_of_fund(payout_by_id, number, row)
    return answered(
        lambda: decide(lambda change, desk: approve(change, desk, row)),
        lambda refusal, fields: _payouts(number, refusal, fields),
        ".payouts",
        row=row,
        number=number,
        done="approved",
    )


@blueprint.post(f"/{FUND}/payouts/<uuid:payout_id>/cancellation")
def cancel_payout(number: int, payout_id: UUID) -> Any:
    """Cancel a payout that the statement does not show yet."""
    row = str(payout_id)
    require_of_fund(payout_by_id, number, row)
    return answered(
        lambda: decide(lambda change, desk: cancel(change, desk, row, typed().maybe("reason", 500) or "")),
        lambda refusal, fields: _payouts(number, refusal, fields),
        ".payouts",
        row=row,
        number=number,
        done="cancelled",
    )
