"""The treasurer's pages of what is given: donations, their receipts, pledges, cash that agents brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import abort, redirect, request, url_for
from sqlalchemy import Connection

from server.audit.changes import Change
from server.dashboard.wiring import Look, change_in_sight, look, page_argument
from server.funds import giving
from server.funds.desk import FundDesk
from server.funds.incoming import DoorDonationState, door_donation_by_id
from server.funds.office_queries import OfficeDonationState, office_donation_by_id, pledge_by_id
from server.funds.office_receipts import issue_donation_receipt, void_donation_receipt
from server.funds.payouts import propose_refund as refund
from server.funds.queries import remittance_by_id
from server.funds.refusals import FundRefusedError
from server.funds.rules import DonorClass
from server.funds.wording import DONOR_CLASS_WORDS
from server.runtime import current_runtime
from server.treasury.actions import DonorShown, open_donor
from server.treasury.forms import FormRefusedError, read_given
from server.treasury.lists import area_choices, carried_lines, donation_lines, donation_page, receipt_numbers
from server.treasury.overview import bucket_names, pledges_on, pool_words, promised
from server.treasury.rules import PledgeState
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
from server.treasury.wording import PLEDGE_WORDS, WAY_WORDS
from sync.clock import local_day

_WAYS = ("cash", "transfer")


def _choices(seen: Look) -> dict[str, Any]:
    """Return what the form of a gift lets one choose from, and the office's day."""
    today = local_day(seen.now_ms, current_runtime().config.time_zone)
    return {
        "classes": list(DonorClass),
        "class_words": DONOR_CLASS_WORDS,
        "areas": area_choices(seen.connection, today),
        "pools": [(f"pool:{code}", words) for code, words in pool_words(seen.connection).items()],
        "today": today,
    }


# --- donations ------------------------------------------------------------------------------------


@blueprint.get(f"/{FUND}/donations")
def donations(number: int) -> Any:
    """Show what was given at the office and by transfer, or at doors."""
    return _donations(number, None, {})


def _donations(number: int, refusal: Refusal | None, fields: Mapping[str, str]) -> Any:
    found, is_door = known_fund(number), request.args.get("from") == "doors"
    with look() as seen:
        lines, listing = donation_lines(seen.connection, number, page_argument(), is_door=is_door)
        choices = _choices(seen)
        pledges = [
            (pledge.id, pledge.amount_vnd)
            for pledge, standing in pledges_on(seen.connection, number, choices["today"])
            if standing.state in (PledgeState.OPEN, PledgeState.OVERDUE)
        ]
    return shown(
        "donations",
        fund=found,
        refusal=refusal,
        typed=fields,
        lines=lines,
        listing=listing,
        is_door=is_door,
        way_words=WAY_WORDS,
        pledges=pledges,
        **choices,
    )


@blueprint.post(f"/{FUND}/donations")
def take_donation(number: int) -> Any:
    """Take cash at the office, which gives a receipt at once, or take a reported transfer down."""
    known_fund(number)
    try:
        form = typed()
        given, day, way = read_given(number, form), form.day("day"), form.one_of("way", _WAYS)
        donation_id = decide(lambda change, desk: _taken(change, desk, given, day, way))
    except (FundRefusedError, FormRefusedError) as error:
        page, _status = _donations(number, refusal_of(error), request.form)
        return page, 422 if isinstance(error, FormRefusedError) else 409
    return redirect(url_for(".donation", number=number, donation_id=donation_id, done="taken"), 303)


def _taken(change: Change, desk: FundDesk, given: giving.Given, day: Any, way: str) -> str:
    if way == "cash":
        return giving.take_cash_donation(change, desk, given, day)[0]
    return giving.take_transfer_donation(change, desk, given, day)


@blueprint.get(f"/{FUND}/donations/<uuid:donation_id>")
def donation(number: int, donation_id: UUID) -> Any:
    """Show one donation and its receipts, without who gave it."""
    return _donation(number, str(donation_id), None, {})


def _donation(number: int, donation_id: str, refusal: Refusal | None, fields: Mapping[str, str]) -> Any:
    found = known_fund(number)
    with look() as seen:
        page = donation_page(seen.connection, number, donation_id) or abort(404)
        choices = _choices(seen)
    # Who corrects a donation was shown who gave it, and typed it again.
    donor = _as_typed(fields) if refusal is not None and "donor_class" in fields else None
    return _shown_donation(found, page, choices, donor, refusal, fields)


def _shown_donation(
    found: Any,
    page: Any,
    choices: dict[str, Any],
    donor: DonorShown | None,
    refusal: Refusal | None,
    fields: Mapping[str, str],
) -> Any:
    numbers = receipt_numbers(page.receipts, current_runtime().config.time_zone)
    return shown(
        "donation",
        fund=found,
        shown=page,
        donor=donor,
        refusal=refusal,
        typed=fields,
        numbers=numbers,
        way_words=WAY_WORDS,
        **choices,
    )


def _as_typed(fields: Mapping[str, str]) -> DonorShown:
    return DonorShown(fields.get("donor_name"), fields.get("donor_phone"), fields.get("donor_tax"))


@blueprint.get(f"/{FUND}/donations/<uuid:donation_id>/donor")
def donor(number: int, donation_id: UUID) -> Any:
    """Show who gave a donation. The look itself becomes a row of the audit."""
    found, wanted, sealer = known_fund(number), str(donation_id), current_runtime().sealer
    opened = change_in_sight(lambda change, _sight: open_donor(change, sealer, number, wanted))
    if opened is None:
        abort(404)
    with look() as seen:
        page = donation_page(seen.connection, number, wanted) or abort(404)
        choices = _choices(seen)
    return _shown_donation(found, page, choices, opened, None, {})


def _donation_by_id(
    connection: Connection, donation_id: str
) -> OfficeDonationState | DoorDonationState | None:
    return office_donation_by_id(connection, donation_id) or door_donation_by_id(connection, donation_id)


def _about_donation(
    number: int, donation_id: UUID, work: Callable[[Change, FundDesk], Any], done: str, row: str | None = None
) -> Any:
    """Decide about one donation and show it again."""
    require_of_fund(_donation_by_id, number, str(donation_id))
    return answered(
        lambda: decide(work),
        lambda refusal, fields: _donation(number, str(donation_id), refusal, fields),
        ".donation",
        row=row,
        number=number,
        donation_id=donation_id,
        done=done,
    )


@blueprint.post(f"/{FUND}/donations/<uuid:donation_id>/correction")
def correct_donation(number: int, donation_id: UUID) -> Any:
    """Reverse a donation and take down what is true; leads to the row that takes its place."""
    require_of_fund(_donation_by_id, number, str(donation_id))
    try:
        form = typed()
        given, day, reason = read_given(number, form), form.day("day"), form.maybe("reason", 500) or ""
        fresh_id = decide(
            lambda change, desk: giving.correct_donation(change, desk, str(donation_id), given, day, reason)
        )
    except (FundRefusedError, FormRefusedError) as error:
        page, _status = _donation(number, str(donation_id), refusal_of(error), request.form)
        return page, 422 if isinstance(error, FormRefusedError) else 409
    return redirect(url_for(".donation", number=number, donation_id=fresh_id, done="corrected"), 303)


@blueprint.post(f"/{FUND}/donations/<uuid:donation_id>/reversal")
def reverse_donation(number: int, donation_id: UUID) -> Any:
    """Take a donation back that never was."""

    def work(change: Change, desk: FundDesk) -> None:
        giving.reverse_donation(change, desk, str(donation_id), typed().maybe("reason", 500) or "")

    return _about_donation(number, donation_id, work, "reversed", str(donation_id))


@blueprint.post(f"/{FUND}/donations/<uuid:donation_id>/receipt")
def issue_receipt(number: int, donation_id: UUID) -> Any:
    """Give the receipt of a transfer that a statement shows, or void that of one that was taken back."""
    is_void = request.form.get("step") == "void"
    action = void_donation_receipt if is_void else issue_donation_receipt
    return _about_donation(
        number,
        donation_id,
        lambda change, desk: action(change, desk, str(donation_id)),
        "voided" if is_void else "receipt",
    )


@blueprint.post(f"/{FUND}/donations/<uuid:donation_id>/refund")
def propose_refund(number: int, donation_id: UUID) -> Any:
    """Propose to give a donation, or a part of it, back; another account approves."""

    def work(change: Change, desk: FundDesk) -> None:
        form = typed()
        reason = form.maybe("reason", 500) or ""
        refund(change, desk, number, str(donation_id), form.whole("amount_vnd"), reason)

    return _about_donation(number, donation_id, work, "refund")


# --- pledges --------------------------------------------------------------------------------------


@blueprint.get(f"/{FUND}/pledges")
def pledges(number: int) -> Any:
    """Show what was promised, what it brought and what is still awaited."""
    return _pledges(number, None, {})


def _pledges(
    number: int,
    refusal: Refusal | None,
    fields: Mapping[str, str],
    opened: tuple[str, DonorShown] | None = None,
) -> Any:
    found = known_fund(number)
    with look() as seen:
        choices = _choices(seen)
        lines = pledges_on(seen.connection, number, choices["today"])
        buckets = bucket_names(seen.connection, {pledge.bucket for pledge, _ in lines})
    return shown(
        "pledges",
        fund=found,
        refusal=refusal,
        typed=fields,
        lines=list(reversed(lines)),
        promised=promised(lines),
        buckets=buckets,
        opened=opened,
        pledge_words=PLEDGE_WORDS,
        **choices,
    )


@blueprint.post(f"/{FUND}/pledges")
def take_pledge(number: int) -> Any:
    """Take down what somebody promises."""
    known_fund(number)

    def work() -> None:
        form = typed()
        given, made_on, due_on = read_given(number, form), form.day("made_on"), form.maybe_day("due_on")
        decide(lambda change, desk: giving.take_pledge(change, desk, given, made_on, due_on))

    return answered(
        work,
        lambda refusal, fields: _pledges(number, refusal, fields),
        ".pledges",
        number=number,
        done="taken",
    )


@blueprint.get(f"/{FUND}/pledges/<uuid:pledge_id>/donor")
def pledge_donor(number: int, pledge_id: UUID) -> Any:
    """Show who made a pledge. The look itself becomes a row of the audit."""
    known_fund(number)
    row, sealer = str(pledge_id), current_runtime().sealer
    opened = change_in_sight(lambda change, _sight: open_donor(change, sealer, number, row))
    if opened is None:
        abort(404)
    return _pledges(number, None, {}, (row, opened))


@blueprint.post(f"/{FUND}/pledges/<uuid:pledge_id>/cancellation")
def cancel_pledge(number: int, pledge_id: UUID) -> Any:
    """Let a pledge be no more."""
    require_of_fund(pledge_by_id, number, str(pledge_id))
    return answered(
        lambda: decide(lambda change, _desk: giving.cancel_pledge(change, str(pledge_id))),
        lambda refusal, fields: _pledges(number, refusal, fields),
        ".pledges",
        row=str(pledge_id),
        number=number,
        done="cancelled",
    )


# --- cash that agents brought ---------------------------------------------------------------------


@blueprint.get(f"/{FUND}/remittances")
def remittances(number: int) -> Any:
    """Show the cash that agents say was carried away, until it is confirmed."""
    return _remittances(number, None)


def _remittances(number: int, refusal: Refusal | None) -> Any:
    found = known_fund(number)
    with look() as seen:
        lines = carried_lines(seen.connection, number)
    return shown("remittances", fund=found, refusal=refusal, lines=lines)


@blueprint.post(f"/{FUND}/remittances/<uuid:entry_id>")
def confirm_remittance(number: int, entry_id: UUID) -> Any:
    """Confirm that cash which an agent brought is at the office."""
    require_of_fund(remittance_by_id, number, str(entry_id))
    return answered(
        lambda: decide(lambda change, desk: giving.confirm_remittance(change, desk, str(entry_id))),
        lambda refusal, _fields: _remittances(number, refusal),
        ".remittances",
        row=str(entry_id),
        number=number,
        done="confirmed",
    )
