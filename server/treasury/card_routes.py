"""The treasurer's pages of cards: who was nominated, what was proposed, approved, issued and returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import abort, redirect, request, url_for
from sqlalchemy import Connection

from server.access.wiring import current_account
from server.audit.changes import Change
from server.dashboard.wiring import look, page_argument
from server.funds.allocating import (
    Refused,
    approve_cards,
    cancel_card,
    exclude_nomination,
    propose_cards,
    reject_nomination,
    reopen_nomination,
)
from server.funds.buying import CARD_TERMS
from server.funds.desk import FundDesk
from server.funds.issuing import issue_card as issue
from server.funds.issuing import return_card as take_back
from server.funds.nominations import NominationStanding
from server.funds.office_queries import AllocationState, allocations_by_id
from server.funds.refusals import FundRefusedError
from server.funds.rules import Stage
from server.funds.wording import NOMINATION_WORDS, STAGE_WORDS
from server.runtime import current_runtime
from server.treasury.forms import FormRefusedError, Typed
from server.treasury.lists import card_lines, lines_of_cards, nomination_lines
from server.treasury.wiring import (
    FUND,
    Refusal,
    answered,
    blueprint,
    decide,
    known_fund,
    refusal_of,
    require_of_fund,
    shown,
    typed,
)
from server.treasury.wording import FormFault, Words, refusal_words
from sync.clock import local_day
from sync.entry import UUID_PATTERN

# More than a page of a list shows is nothing that somebody ticked.
_CHOSEN_MOST = 200
_STANDINGS = (
    NominationStanding.WAITING,
    NominationStanding.ALLOCATED,
    NominationStanding.EXCLUDED,
    NominationStanding.REJECTED,
    NominationStanding.VOIDED,
)


def _chosen() -> list[str]:
    """Return the lines that were ticked. Raises FormRefusedError."""
    found = [one for one in request.form.getlist("chosen") if UUID_PATTERN.fullmatch(one)]
    if not found or len(found) > _CHOSEN_MOST:
        raise FormRefusedError(FormFault.NOTHING_CHOSEN, "chosen")
    return found


def _reasons(refused: Sequence[Refused]) -> dict[str, Words]:
    return {each.id: refusal_words(FundRefusedError(each.code, each.detail)) for each in refused}


def _noted(change: Change, fund: int, refused: list[Refused]) -> list[Refused]:
    """Take down that some of many decisions were refused: it may have been all of them."""
    if refused:
        change.audit("fund_decisions_refused", str(fund), codes=sorted(each.code.value for each in refused))
    return refused


# --- nominations ----------------------------------------------------------------------------------


@blueprint.get(f"/{FUND}/nominations")
def nominations(number: int) -> Any:
    """Show who was nominated, and what speaks against a card."""
    return _nominations(number)


def _nominations(
    number: int,
    refusal: Refusal | None = None,
    fields: Mapping[str, str] | None = None,
    reasons: Mapping[str, Words] | None = None,
) -> Any:
    found, zone = known_fund(number), current_runtime().config.time_zone
    wanted = request.args.get("standing")
    standing = next((each for each in _STANDINGS if each == wanted), NominationStanding.WAITING)
    with look() as seen:
        today = local_day(seen.now_ms, zone)
        lines, listing, counts = nomination_lines(seen.connection, number, today, standing, page_argument())
    return shown(
        "nominations",
        fund=found,
        refusal=refusal,
        typed=fields or {},
        reasons=reasons or {},
        chosen=request.form.getlist("chosen"),
        lines=lines,
        listing=listing,
        counts=counts,
        standing=standing,
        standings=_STANDINGS,
        standing_words=NOMINATION_WORDS,
        terms=CARD_TERMS,
    )


@blueprint.post(f"/{FUND}/nominations")
def decide_nominations(number: int) -> Any:
    """Propose cards for the nominations that were ticked, or decide against them."""
    known_fund(number)
    step = request.form.get("step", "")
    try:
        chosen, form = _chosen(), typed()
        refused = decide(
            lambda change, desk: _noted(
                change, number, _nominations_decided(change, desk, step, chosen, form)
            )
        )
    except (FundRefusedError, FormRefusedError) as error:
        page, _status = _nominations(number, refusal_of(error), request.form)
        return page, 422 if isinstance(error, FormRefusedError) else 409
    if refused:
        return _nominations(number, None, request.form, _reasons(refused))[0], 409
    leads_to = ".cards" if step == "propose" else ".nominations"
    return redirect(url_for(leads_to, number=number, done=step), 303)


def _nominations_decided(
    change: Change, desk: FundDesk, step: str, chosen: list[str], form: Typed
) -> list[Refused]:
    """Take one step with each nomination; return those of which it was refused."""
    reason = form.maybe("reason", 500) or ""
    if step == "propose":
        months, member = form.maybe_whole("months"), form.maybe_whole("member")
        return propose_cards(change, desk, chosen, months=months, member=member)[1]
    steps: dict[str, Callable[[str], Any]] = {
        "exclude": lambda one: exclude_nomination(change, desk, one),
        "reject": lambda one: reject_nomination(change, desk, one, reason),
        "reopen": lambda one: reopen_nomination(change, desk, one, reason),
    }
    if step not in steps:
        raise FormRefusedError(FormFault.CHOICE_UNKNOWN, "step")
    refused = []
    for one in chosen:
        try:
            steps[step](one)
        except FundRefusedError as error:
            if len(chosen) == 1:
                raise
            refused.append(Refused(one, error.code, error.detail))
    return refused


# --- cards ----------------------------------------------------------------------------------------


@blueprint.get(f"/{FUND}/cards")
def cards(number: int) -> Any:
    """Show the cards of one stage."""
    return _cards(number)


def _cards(number: int, refusal: Refusal | None = None, reasons: Mapping[str, Words] | None = None) -> Any:
    found, wanted = known_fund(number), request.args.get("stage")
    stage = next((each for each in Stage if each == wanted), Stage.PROPOSED)
    with look() as seen:
        lines, listing, counts = card_lines(
            seen.connection, number, stage, page_argument(), current_account().account_id
        )
    return shown(
        "cards",
        fund=found,
        refusal=refusal,
        reasons=reasons or {},
        chosen=request.form.getlist("chosen"),
        lines=lines,
        listing=listing,
        counts=counts,
        stage=stage,
        stages=tuple(Stage),
        stage_words=STAGE_WORDS,
    )


@blueprint.post(f"/{FUND}/cards")
def approve_chosen(number: int) -> Any:
    """Approve the proposals that were ticked; another account proposed them."""
    known_fund(number)
    try:
        chosen = _chosen()
        refused = decide(lambda change, desk: _noted(change, number, approve_cards(change, desk, chosen)))
    except (FundRefusedError, FormRefusedError) as error:
        page, _status = _cards(number, refusal_of(error))
        return page, 422 if isinstance(error, FormRefusedError) else 409
    if refused:
        return _cards(number, None, _reasons(refused))[0], 409
    return redirect(url_for(".cards", number=number, stage="approved", done="approved"), 303)


@blueprint.get(f"/{FUND}/cards/<uuid:card_id>")
def card(number: int, card_id: UUID) -> Any:
    """Show one card with what may be done about it."""
    return _card(number, str(card_id), None, {})


def _card(number: int, card_id: str, refusal: Refusal | None, fields: Mapping[str, str]) -> Any:
    found, zone = known_fund(number), current_runtime().config.time_zone
    with look() as seen:
        allocation = _card_by_id(seen.connection, card_id)
        if allocation is None or allocation.fund != number:
            abort(404)
        line = lines_of_cards(seen.connection, [allocation], current_account().account_id)[0]
        today = local_day(seen.now_ms, zone)
    return shown(
        "card", fund=found, refusal=refusal, typed=fields, line=line, stage_words=STAGE_WORDS, today=today
    )


def _card_by_id(connection: Connection, card_id: str) -> AllocationState | None:
    return allocations_by_id(connection, [card_id]).get(card_id)


def _about_card(number: int, card_id: UUID, work: Callable[[Change, FundDesk], Any], done: str) -> Any:
    """Decide about one card of a fund and show it again."""
    require_of_fund(_card_by_id, number, str(card_id))
    return answered(
        lambda: decide(work),
        lambda refusal, fields: _card(number, str(card_id), refusal, fields),
        ".card",
        number=number,
        card_id=card_id,
        done=done,
    )


@blueprint.post(f"/{FUND}/cards/<uuid:card_id>/issue")
def issue_card(number: int, card_id: UUID) -> Any:
    """Take down that the insurer issued a card."""

    def work(change: Change, desk: FundDesk) -> None:
        form = typed()
        issue(
            change,
            desk,
            str(card_id),
            form.text("card_number", 30),
            form.day("valid_from"),
            valid_to=form.maybe_day("valid_to"),
            price_vnd=form.maybe_whole("price_vnd"),
        )

    return _about_card(number, card_id, work, "issued")


@blueprint.post(f"/{FUND}/cards/<uuid:card_id>/cancellation")
def cancel(number: int, card_id: UUID) -> Any:
    """Cancel a card before it is issued."""

    def work(change: Change, desk: FundDesk) -> None:
        cancel_card(change, desk, str(card_id), typed().maybe("reason", 500) or "")

    return _about_card(number, card_id, work, "cancelled")


@blueprint.post(f"/{FUND}/cards/<uuid:card_id>/return")
def return_card(number: int, card_id: UUID) -> Any:
    """Take down that an issued card reached nobody."""

    def work(change: Change, desk: FundDesk) -> None:
        take_back(change, desk, str(card_id), typed().maybe("reason", 500) or "")

    return _about_card(number, card_id, work, "returned")
