"""`tungnha-field`: the desk client's commands, Vietnamese first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table

from field_client.actions import RECEIPTED
from field_client.card_commands import COMMANDS
from field_client.client import FieldClient
from field_client.desk import Desk, show_receipt, show_report, show_returned, show_waiting
from field_client.identity import STORE_DAMAGED, NotEnrolledError
from field_client.texts import age_text, amount_text, say
from schemas import kinds

_DEFAULT_HOME = Path("~/.tungnha-field")
# Exit codes: 1 refused or failed, 2 wrong usage (click's own), 3 synced but something needs a person.
_NEEDS_PERSON = 3
# They open a form. `collect` and `donate` are one unless the money was taken already.
_FORMS = {"household", "person", "visit", "install", "enrolment", "consent", "nominate"}
_VOIDABLE = (
    *("payment", "enrolment", "visit", "install"),
    *("donation", "remittance", "nomination", "handover"),
)


@click.group(help="Từng Nhà: máy của đại lý · the field agent's desk client")
@click.option("--home", type=click.Path(path_type=Path), default=_DEFAULT_HOME, help="Thư mục dữ liệu · home")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", help="Ngôn ngữ · language")
@click.pass_context
def main(context: click.Context, home: Path, lang: str) -> None:
    """Collect the options that every command shares; tests pass their own way to open a home."""
    opener = context.obj or FieldClient
    desk = context.obj = Desk(home.expanduser(), lang, opener, Console(file=sys.stdout))
    if context.invoked_subcommand in _FORMS:
        # Before the form asks anything.
        desk.require_space()


def _promotion(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every outreach fact has."""
    command = click.option("--campaign", type=int, help="Số chiến dịch · campaign number")(command)
    return click.option(
        "--promoter",
        type=(click.Choice(kinds.PROMOTER_KINDS), str),
        help="Người vận động: loại và mã · who persuaded: kind and id",
    )(command)


def _promoter(promoter: tuple[str, str] | None) -> dict[str, str] | None:
    return None if promoter is None else {"kind": promoter[0], "id": promoter[1]}


@main.command(help="Đăng ký thiết bị bằng mã một lần · enrol with a one-time code")
@click.argument("code")
@click.option("--server", help="Địa chỉ máy chủ · the server's address")
@click.option(
    "--again", is_flag=True, help="Đăng ký lại, mang theo mọi mục · enrol again, carrying everything over"
)
@click.pass_obj
def enrol(desk: Desk, /, code: str, server: str | None, again: bool) -> None:
    """Register this installation."""
    with desk.open() as client:
        current = client.identities.current_or_none()
        server = server or (current.server_url if current else None)
        if server is None:
            desk.give_up("server_missing")
        identity = client.enrol(server, code, again=again)
        if current is None:
            desk.say("enrolled", number=identity.number, worker=identity.worker_name)
        else:
            desk.say("enrolled_again", number=identity.number, count=client.outbox.head().seq)


@main.command(help="Ghi một hộ · register a household")
@click.option("--area", required=True, help="Mã địa bàn, ví dụ 28249@2004-01-01 · area key")
@click.option("--head-name", required=True, prompt="Chủ hộ")
@click.option("--address", required=True, prompt="Địa chỉ")
@click.option("--hamlet", help="Ấp, khu phố · hamlet")
@click.option("--phone", help="Điện thoại · phone")
@click.option("--members", type=int, help="Số người · members")
@click.option("--anyway", is_flag=True, help="Vẫn ghi dù có thể trùng · even if possibly a duplicate")
@click.pass_obj
def household(desk: Desk, /, anyway: bool, **members: Any) -> None:
    """Register a household."""
    with desk.open() as client:
        same = [] if anyway else client.projection.similar("household", "head_name", members["head_name"])
        for view in same:
            if view.fields.get("area") == members["area"]:
                desk.give_up("possible_duplicate", id=view.record_id, name=view.fields.get("head_name"))
        desk.say("saved", id=client.actions.register_household(**members))


@main.command(help="Ghi một người · register a person")
@click.option("--full-name", required=True, prompt="Họ tên")
@click.option("--household", help="Mã hộ (đầu hoặc cuối) · household id, its beginning or end")
@click.option("--area", help="Mã địa bàn khi không có hộ · area key when there is no household")
@click.option("--birth-date", help="YYYY-MM-DD")
@click.option("--sex", type=click.Choice(kinds.SEXES))
@click.option("--national-id", help="Số CCCD")
@click.option("--insurance-number", help="Mã số BHXH")
@click.option("--phone", help="Điện thoại · phone")
@click.option("--anyway", is_flag=True, help="Vẫn ghi dù có thể trùng · even if possibly a duplicate")
@click.pass_obj
def person(desk: Desk, /, anyway: bool, **members: Any) -> None:
    """Register a person."""
    with desk.open() as client:
        if members["household"]:
            members["household"] = desk.found(client, "household", members["household"])
        for view in [] if anyway else client.projection.similar("person", "full_name", members["full_name"]):
            if view.fields.get("birth_date") in {None, members["birth_date"]}:
                desk.give_up("possible_duplicate", id=view.record_id, name=view.fields.get("full_name"))
        desk.say("saved", id=client.actions.register_person(**members))


@main.command(help="Ghi một lượt đến nhà · record a visit")
@click.argument("household")
@click.argument("disposition", type=click.Choice(kinds.DISPOSITIONS))
@click.option("--call-back-on", help="Hẹn lại ngày YYYY-MM-DD · the day agreed on")
@click.option("--note", help="Ghi chú · note")
@_promotion
@click.pass_obj
def visit(desk: Desk, /, household: str, promoter: tuple[str, str] | None, **members: Any) -> None:
    """Record a visit."""
    with desk.open() as client:
        found = desk.found(client, "household", household)
        desk.say(
            "saved", id=client.actions.record_visit(household=found, promoter=_promoter(promoter), **members)
        )


@main.command(help="Ghi một lần cài VssID · record a VssID install")
@click.argument("person")
@click.option("--state", type=click.Choice(kinds.INSTALL_STATES), default="declared")
@click.option("--occasion", type=click.Choice(kinds.OCCASIONS), default="home_visit")
@click.option("--evidence", type=click.Choice(kinds.EVIDENCE_LEVELS), default="none")
@_promotion
@click.pass_obj
def install(desk: Desk, /, person: str, promoter: tuple[str, str] | None, **members: Any) -> None:
    """Record an install."""
    with desk.open() as client:
        found = desk.found(client, "person", person)
        desk.say(
            "saved", id=client.actions.record_install(person=found, promoter=_promoter(promoter), **members)
        )


@main.command(help="Ghi danh tham gia · record an enrolment (ghi-danh)")
@click.argument("person")
@click.option("--scheme", type=click.Choice(kinds.SCHEMES), required=True)
@click.option("--status", type=click.Choice(kinds.ENROLMENT_STATUSES), default="new")
@click.option("--from-month", required=True, help="YYYY-MM")
@click.option("--months", type=int, required=True, help="Số tháng · months")
@click.option(
    "--amount-due",
    "amount_due_vnd",
    type=int,
    help="Số tiền phải đóng, đồng; không ghi thì tính theo bảng mức đóng · by the rate tables unless given",
)
@click.option("--income", "income_vnd", type=int, help="Mức thu nhập chọn đóng, đồng")
@click.option("--category", type=click.Choice(kinds.CATEGORIES), help="Đối tượng BHXH tự nguyện")
@click.option("--supported-months", type=int, help="Số tháng đã được Nhà nước hỗ trợ")
@click.option("--member", type=int, help="Người thứ mấy trong hộ (BHYT) · the member's number")
@click.option("--support", help="Mã đối tượng được hỗ trợ (BHYT) · the supported category")
@click.option("--hospital", help="Nơi đăng ký khám chữa bệnh · where the card is registered")
@click.option("--local-support", "local_support_vnd", type=int, help="Hỗ trợ của địa phương, đồng")
@_promotion
@click.pass_obj
def enrolment(desk: Desk, /, person: str, promoter: tuple[str, str] | None, **members: Any) -> None:
    """Record an enrolment."""
    with desk.open() as client:
        found = desk.found(client, "person", person)
        members["amount_due_vnd"] = desk.due(client, members)
        desk.say(
            "saved", id=client.actions.record_enrolment(person=found, promoter=_promoter(promoter), **members)
        )


@main.command(help="Ghi đồng ý hoặc rút lại · record a consent, given or withdrawn")
@click.argument("person")
@click.argument("purpose", type=click.Choice(kinds.CONSENT_PURPOSES))
@click.option("--decision", type=click.Choice(kinds.CONSENT_DECISIONS), default="given")
@click.option("--evidence", type=click.Choice(kinds.CONSENT_EVIDENCE), default="spoken")
@click.option("--note", help="Ghi chú · note")
@click.pass_obj
def consent(desk: Desk, /, person: str, **members: Any) -> None:
    """Record a consent."""
    with desk.open() as client:
        found = desk.found(client, "person", person)
        desk.say("saved", id=client.actions.record_consent(person=found, **members))


for _command in COMMANDS:
    main.add_command(_command)
_vietnamese_name = copy(enrolment)
_vietnamese_name.name = "ghi-danh"
main.add_command(_vietnamese_name)


@main.command(help="Thu tiền và lập biên lai · collect a payment and hand over its receipt")
@click.argument("enrolments", nargs=-1, required=True)
@click.option(
    "--amount", "amounts", type=int, multiple=True, help="Số đồng cho từng lượt, mặc định là số phải đóng"
)
@click.option("--method", type=click.Choice(kinds.PAYMENT_METHODS), default="cash")
@click.option("--note", help="Ghi chú · note")
@click.option("--already-taken", is_flag=True, help="Tiền đã cầm trong tay · the money was taken already")
@click.pass_obj
def collect(
    desk: Desk,
    /,
    enrolments: tuple[str, ...],
    amounts: tuple[int, ...],
    method: str,
    note: str | None,
    already_taken: bool,
) -> None:
    """Collect a payment."""
    with desk.open() as client:
        desk.open_collection(client, already_taken=already_taken)
        if amounts and len(amounts) != len(enrolments):
            desk.give_up("usage_amounts")
        found = [desk.found(client, "enrolment", text) for text in enrolments]
        due = [client.projection.enrolment(enrolment_id) for enrolment_id in found]
        sums = amounts or tuple(int(view.fields["amount_due_vnd"]) for view in due if view is not None)
        pairs = list(zip(found, sums, strict=True))
        collected = client.actions.collect_payment(pairs, method=method, note=note)
        amount = amount_text(collected.amount_vnd)
        desk.say("collected", amount=amount, number=collected.receipt.number)
        show_receipt(desk, client, collected.receipt)


@main.command(help="Huỷ một mục của mình · void one of your own entries")
@click.argument("target")
@click.option("--reason", required=True, prompt="Lý do")
@click.pass_obj
def void(desk: Desk, /, target: str, reason: str) -> None:
    """Void a payment or donation (by its id or its receipt's number), or another fact."""
    with desk.open() as client:
        receipt = client.receipts.find(target)
        if receipt is not None:
            target = receipt.payment_id
        for record_type in _VOIDABLE:
            target = client.projection.resolve(record_type, target) or target
        entry = client.outbox.entry(target)
        if entry is None:
            desk.give_up("not_found", what=target)
        if entry.kind in RECEIPTED:
            issued = client.actions.void_payment(target, reason)
            desk.say("voided", number=issued.number)
            show_receipt(desk, client, issued)
        else:
            desk.say("saved", id=client.actions.void_entry(target, reason))


@main.command(help="Những mục văn phòng trả lại · entries that the office sent back")
@click.pass_obj
def returned(desk: Desk) -> None:
    """List what was sent back, each with its reason."""
    with desk.open() as client:
        found = client.projection.returned()
        if not found:
            desk.say("nothing_returned")
        show_returned(desk, found)


@main.command(help="Trả lời một mục bị trả lại · answer an entry that was sent back")
@click.argument("target")
@click.option("--by", "replacement", help="Mã của mục ghi lại · the id of the entry that replaces it")
@click.option("--withdrawn", is_flag=True, help="Bỏ mục này · it is given up")
@click.option("--note", help="Ghi chú · note")
@click.pass_obj
def answer(desk: Desk, /, target: str, replacement: str | None, withdrawn: bool, note: str | None) -> None:
    """Say what settles an entry that was sent back."""
    if withdrawn == (replacement is not None):
        desk.give_up("usage_answer")
    with desk.open() as client:
        names = [each.name for each in client.projection.returned()]
        found = [name for name in names if name.startswith(target) or name.endswith(target)]
        if len(found) != 1:
            desk.give_up("not_found", what=target)
        desk.say("saved", id=client.actions.answer_return(found[0], replacement=replacement, note=note))


@main.command(help="Tình trạng của máy · how this device stands")
@click.pass_obj
def status(desk: Desk) -> None:
    """Show unsent entries, the last sync, states, and what needs a person."""
    with desk.open() as client:
        found = client.status()
        if found.identity is None:
            raise NotEnrolledError
        table = Table(show_header=False, box=None)
        identity = found.identity
        table.add_row(say("device", desk.language), f"{identity.number:05d} · {identity.worker_name}")
        table.add_row(say("unsent", desk.language), str(found.unsent))
        table.add_row(say("last_sync", desk.language), age_text(found.last_sync_age_ms, desk.language))
        counts = ", ".join(
            f"{say(f'state_{state}', desk.language)} {count}" for state, count in sorted(found.counts.items())
        )
        table.add_row(say("entries", desk.language), counts or "0")
        receipts = f"{found.cap.receipts} · {amount_text(found.cap.amount_vnd)}"
        table.add_row(say("receipts_unacked", desk.language), receipts)
        desk.console.print(table)
        if found.stopped == STORE_DAMAGED:
            desk.say_damage(client.loss())
        elif found.stopped is not None:
            desk.say("stopped")
        show_waiting(desk, found.needs_person + found.held)


@main.command(
    name="list",
    help="Danh sách: household, person, visit, enrolment, receipt, donation, fund, pool… · list records",
)
@click.argument("record_type", default="household")
@click.pass_obj
def list_records(desk: Desk, /, record_type: str) -> None:
    """List the records of a type as this device sees them."""
    with desk.open() as client:
        rows: list[tuple[str, ...]] = []
        if record_type == "receipt":
            issued = client.receipts.receipts()
            rows += [(item.number, amount_text(item.amount_vnd), item.payment_id) for item in issued]
        else:
            for view in client.projection.views(record_type):
                shown = ", ".join(
                    str(value) for value in view.fields.values() if isinstance(value, str | int)
                )
                rows.append((view.record_id, say(f"state_{view.state}", desk.language), shown))
        for row in rows:
            line = " · ".join(part for part in row if part)
            desk.console.print(line, highlight=False, markup=False, soft_wrap=True)


@main.command(help="Đồng bộ với máy chủ · sync with the server")
@click.pass_obj
def sync(desk: Desk) -> None:
    """Push and pull everything."""
    with desk.open() as client, desk.console.status("") as shown:

        def progress(phase: str, done: int, total: int) -> None:
            key = "syncing" if phase == "push" else "pulling"
            shown.update(say(key, desk.language, done=done, total=total))

        report = client.sync(progress)
        shown.stop()
        show_report(desk, report)
        show_waiting(desk, client.status().needs_person)
    if not report.is_clean:
        sys.exit(_NEEDS_PERSON)


@main.command(help="Hiện lại một biên lai và mã QR · show a receipt and its QR code")
@click.argument("number")
@click.pass_obj
def receipt(desk: Desk, /, number: str) -> None:
    """Show a receipt by its printed number or its counter."""
    with desk.open() as client:
        found = client.receipts.find(number)
        if found is None:
            desk.give_up("not_found", what=number)
        desk.console.print(f"{found.number} · {amount_text(found.amount_vnd)}", highlight=False)
        show_receipt(desk, client, found)


if __name__ == "__main__":
    main()
