"""The commands about donated cards: what was given, who is named for a card, which cards wait."""

from __future__ import annotations

from typing import Any

import rich_click as click

from field_client.client import FieldClient
from field_client.desk import Desk, show_receipt
from field_client.projection import WaitingCard
from field_client.texts import amount_text, say
from schemas import fund_kinds, kinds
from schemas.names import masked


@click.command(help="Nhận ủng hộ và lập biên lai · take a donation and hand over its receipt")
@click.argument("fund", type=int)
@click.argument("amount", type=int)
@click.option("--area", required=True, help="Mã địa bàn nơi nhận · key of the area where it was given")
@click.option("--from", "donor_class", type=click.Choice(fund_kinds.DONOR_CLASSES), default="benefactor")
@click.option("--donor-name", help="Người hoặc đơn vị ủng hộ · who gives")
@click.option("--donor-phone", help="Điện thoại · phone")
@click.option("--tax-code", help="Mã số thuế · tax code")
@click.option("--method", type=click.Choice(kinds.PAYMENT_METHODS), default="cash")
@click.option("--for-area", help="Chỉ dành cho địa bàn này · for this area only")
@click.option("--for-pool", help="Chỉ dành cho nhóm hoàn cảnh này · for this pool only")
@click.option("--pledge", help="Mã cam kết mà khoản này thực hiện · the pledge that it keeps")
@click.option("--note", help="Ghi chú · note")
@click.option("--already-taken", is_flag=True, help="Tiền đã cầm trong tay · the money was taken already")
@click.pass_obj
def donate(desk: Desk, /, fund: int, amount: int, already_taken: bool, **members: Any) -> None:
    """Take a donation."""
    restriction = _restriction(desk, members.pop("for_area"), members.pop("for_pool"))
    details = {member: members.pop(f"donor_{member}") for member in ("name", "phone")}
    details["tax_code"] = members.pop("tax_code")
    donor = details if any(details.values()) else None
    with desk.open() as client:
        if donor is None and members["donor_class"] != "anonymous":
            desk.give_up("donor_missing")
        desk.open_collection(client, already_taken=already_taken)
        if not already_taken:
            _require_known(desk, client, "fund", str(fund), say("fund_named", desk.language, number=fund))
            if restriction is not None and restriction["kind"] == "pool":
                _require_pool(desk, client, restriction["key"])
        taken = client.actions.record_donation(
            fund=fund, amount_vnd=amount, donor=donor, restriction=restriction, **members
        )
        name = _name_of(desk, client, "fund", str(fund)) or say("fund_named", desk.language, number=fund)
        desk.say("donated", amount=amount_text(amount), fund=name, number=taken.receipt.number)
        show_receipt(desk, client, taken.receipt)


@click.command(help="Ghi việc nộp tiền quỹ · record cash of a fund that you carried")
@click.argument("fund", type=int)
@click.argument("amount", type=int)
@click.option("--to", "destination", type=click.Choice(fund_kinds.REMITTANCE_DESTINATIONS), required=True)
@click.option("--reference", help="Số giấy nộp tiền hoặc mã giao dịch · of the slip or the transfer")
@click.option("--note", help="Ghi chú · note")
@click.pass_obj
def remit(desk: Desk, /, fund: int, amount: int, **members: Any) -> None:
    """Record cash that was carried to the account or the office."""
    with desk.open() as client:
        desk.say("saved", id=client.actions.remit_cash(fund=fund, amount_vnd=amount, **members))


@click.command(help="Đề nghị tặng thẻ cho một người · name a person for a card")
@click.argument("person")
@click.option("--fund", type=int, required=True, help="Số quỹ · the fund's number")
@click.option("--pool", required=True, help="Mã nhóm hoàn cảnh · the pool's code")
@click.option("--evidence", type=click.Choice(fund_kinds.NOMINATION_EVIDENCE), required=True)
@click.option("--evidence-number", help="Số của giấy tờ · its number")
@click.option(
    "--consent",
    type=click.Choice(kinds.CONSENT_EVIDENCE),
    help="Người này vừa đồng ý nhận thẻ, bằng cách nào · they consent now, and how",
)
@click.option("--member", type=int, help="Người thứ mấy trong hộ (BHYT) · the member's number")
@click.option("--note", help="Ghi chú · note")
@click.pass_obj
def nominate(desk: Desk, /, person: str, consent: str | None, **members: Any) -> None:
    """Name a person for a card, with the consent that they give at the same time."""
    with desk.open() as client:
        found = desk.found(client, "person", person)
        number = members["fund"]
        _require_known(desk, client, "fund", str(number), say("fund_named", desk.language, number=number))
        _require_pool(desk, client, members["pool"])
        if consent is None and client.actions.card_consent(found) is None:
            desk.give_up("consent_needed")
        with client.recording() as actions:
            if consent is not None:
                given = {"purpose": "card_donation", "decision": "given", "evidence": consent}
                members["consent"] = actions.record_consent(person=found, **given)
            entry_id = actions.nominate(person=found, **members)
        desk.say("saved", id=entry_id)


@click.command(name="hand-over", help="Ghi việc trao thẻ · record that a card was handed over")
@click.argument("allocation")
@click.option("--id-card", help="Nội dung quét từ CCCD, hoặc 12 số · as scanned, or the 12 digits")
@click.option("--witness", help="Tên người làm chứng · a witness's name")
@click.option("--witness-phone", help="Điện thoại người làm chứng · their phone")
@click.option("--note", help="Ghi chú · note")
@click.option("--anyway", is_flag=True, help="Vẫn ghi · record it all the same")
@click.pass_obj
def hand_over(
    desk: Desk,
    /,
    allocation: str,
    id_card: str | None,
    witness: str | None,
    witness_phone: str | None,
    note: str | None,
    anyway: bool,
) -> None:
    """Record that a card was given into its beneficiary's hand."""
    if (id_card is None) == (witness is None):
        desk.give_up("usage_proof")
    with desk.open() as client:
        found = desk.found(client, "allocation", allocation)
        # The number is the first of the fields that a scanned card has.
        number = None if id_card is None else id_card.split("|")[0]
        if not anyway:
            _require_not_handed(desk, client, found)
            _require_same_number(desk, client, found, number)
        proof = {
            "method": "witness" if id_card is None else "id_scanned",
            "national_id": number,
            "witness_name": witness,
            "witness_phone": witness_phone,
        }
        desk.say("saved", id=client.actions.hand_over_card(allocation=found, proof=proof, note=note))


@click.command(help="Thẻ chờ trao ở địa bàn · cards that wait to be handed over")
@click.pass_obj
def cards(desk: Desk) -> None:
    """List the cards that wait, those that can be handed over first."""
    with desk.open() as client:
        waiting = client.projection.waiting_cards()
        if not waiting:
            desk.say("no_waiting_cards")
            return
        desk.say("waiting_cards", count=len(waiting))
        for card in sorted(waiting, key=lambda each: not each.is_issued):
            line = " · ".join(_card_parts(desk, client, card))
            desk.console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
            desk.console.print(f"    {card.allocation.record_id}", highlight=False, markup=False)


COMMANDS = (donate, remit, nominate, hand_over, cards)


def _restriction(desk: Desk, area: str | None, pool: str | None) -> dict[str, str] | None:
    if area is not None and pool is not None:
        desk.give_up("usage_restriction")
    if area is not None:
        return {"kind": "area", "key": area}
    return None if pool is None else {"kind": "pool", "key": pool}


def _name_of(desk: Desk, client: FieldClient, record_type: str, record_id: str) -> str | None:
    """Return what a fund or pool is called, where it was pulled."""
    view = client.projection.view(record_type, record_id)
    if view is None:
        return None
    name = view.fields.get("name_en" if desk.language == "en" else "name")
    return None if name is None else str(name)


def _require_known(desk: Desk, client: FieldClient, record_type: str, record_id: str, what: str) -> None:
    """Exit with 1 where others of the type were pulled and this one was not: most likely mistyped."""
    if client.replica.records(record_type) and client.replica.record(record_type, record_id) is None:
        desk.give_up("not_found", what=what)


def _require_pool(desk: Desk, client: FieldClient, code: str) -> None:
    _require_known(desk, client, "pool", code, say("pool_named", desk.language, code=code))


def _require_not_handed(desk: Desk, client: FieldClient, allocation: str) -> None:
    waiting = {card.allocation.record_id for card in client.projection.waiting_cards()}
    if allocation not in waiting:
        desk.give_up("handed_over_before")


def _require_same_number(desk: Desk, client: FieldClient, allocation: str, number: str | None) -> None:
    """Exit with 1 where the scanned number is not the one on record, of which a tablet sees the end."""
    view = client.projection.view("allocation", allocation)
    person = None if view is None else client.projection.person(str(view.fields.get("person")))
    known = None if person is None else person.fields.get("national_id")
    if (
        person is not None
        and known is not None
        and number is not None
        and known not in {number, masked(number)}
    ):
        desk.give_up("id_card_differs", name=person.fields.get("full_name"))


def _card_parts(desk: Desk, client: FieldClient, card: WaitingCard) -> list[str]:
    fields = card.allocation.fields
    fund = str(fields.get("fund"))
    parts = [
        card.full_name or str(fields.get("person")),
        say("card_issued" if card.is_issued else "card_approved", desk.language),
        say("card_months", desk.language, count=fields.get("months")),
    ]
    if fields.get("valid_from") and fields.get("valid_to"):
        days = {"first": fields["valid_from"], "last": fields["valid_to"]}
        parts.append(say("card_valid", desk.language, **days))
    parts.append(_name_of(desk, client, "fund", fund) or say("fund_named", desk.language, number=fund))
    return parts
