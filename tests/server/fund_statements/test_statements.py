"""A fund's statement: equal to the books, the same in every form, and shown to whoever may see funds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import openpyxl
import pytest
from flask import Flask

from server.fund_statements import wording
from server.fund_statements.figures import FundStatement, fund_statement
from server.fund_statements.files import statement_pdf, statement_xlsx
from server.funds.giving import confirm_remittance
from server.funds.issuing import return_card
from server.funds.payouts import approve_payout, propose_refund
from server.funds.rules import MatchKind
from server.runtime import runtime_of
from tests.support.clocks import FakeClock
from tests.support.fund_decisions import allocation, approved, issued
from tests.support.funds import FUND, FundOffice, a_fund_office
from tests.support.offices import create_schema
from tests.support.staff import an_account, an_app, log_in

_ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))
_NAME = '#include "x" $ * _ Quỹ «Chia sẻ» @a'


@dataclass(frozen=True)
class Funded:
    """An office with a fund whose life took two days."""

    app: Flask
    clock: FakeClock
    office: FundOffice
    second_day: date


@pytest.fixture(scope="module")
def funded(tmp_path_factory) -> Iterator[Funded]:
    url = f"sqlite:///{tmp_path_factory.mktemp('statements') / 'office.sqlite3'}"
    create_schema(url)
    clock = FakeClock()
    with an_app(url, clock) as app:
        office = a_fund_office(runtime_of(app), name=_NAME)
        office.cash(2_000_000)
        gift = office.transfer(1_500_000, ("pool", "elderly"))
        claimed = office.door_donation(400_000, method="transfer")
        office.line(400_000, MatchKind.DOOR_DONATION, claimed)
        office.door_donation(700_000, worker="an")
        office.void_donation(office.door_donation(90_000, worker="an"))
        handed, waiting = issued(office), issued(office)
        clock.advance(days=1)
        office.hand_over(allocation(office, handed))
        office.act(return_card, waiting, "Không tìm được người nhận")
        office.act(confirm_remittance, office.remit(300_000))
        office.remit(100_000)
        approved(office)
        office.line(250_000)
        office.line(-400_000, MatchKind.BOUNCE, claimed)
        refund = office.act(propose_refund, FUND, gift, 200_000, "Người ủng hộ đề nghị")
        office.second(approve_payout, refund)
        yield Funded(app, clock, office, office.day)


def statement_of(funded: Funded, from_day: date, to_day: date) -> FundStatement:
    found = funded.office.read(fund_statement, FUND, from_day, to_day)
    assert found is not None
    return found


def lines_of(statement: FundStatement, title: wording.Words) -> dict[str, tuple[int | None, int | None]]:
    [section] = [each for each in statement.sections if each.title == title]
    return {line.words[0]: (line.amount_vnd, line.cards) for line in section.lines}


def test_the_closing_balance_equals_the_books(funded):
    closing = lines_of(statement_of(funded, *_ALWAYS), wording.CLOSING)
    standing = funded.office.standing
    assert closing[wording.BANK[0]][0] == standing.bank_vnd
    assert closing[wording.OFFICE_CASH[0]][0] == standing.office_cash_vnd
    assert closing[wording.IN_TRANSIT[0]][0] == standing.in_transit_vnd
    assert closing[wording.IN_HANDS[0]][0] == sum(standing.in_hands_vnd.values()) - standing.in_transit_vnd
    assert closing[wording.RESERVED[0]][0] == sum(standing.reserved_vnd.values())
    assert closing[wording.FREE[0]][0] == sum(standing.free_vnd.values())
    assert closing[wording.OF_THE_FUND[0]][0] == sum(standing.free_vnd.values()) + sum(
        standing.reserved_vnd.values()
    )


def test_cards_equal_the_books_and_every_check_shows_no_difference(funded):
    statement = statement_of(funded, *_ALWAYS)
    cards = funded.office.standing.cards
    shown = lines_of(statement, wording.CARDS)
    assert shown[wording.TOTAL[0]] == (None, sum(cards.values()))
    assert [shown[words[0]][1] for words in wording.STAGES.values()] == list(cards.values())
    assert lines_of(statement, wording.CHECKS)[wording.LEDGER_DIFFERENCE[0]] == (0, None)


def test_what_donors_gave_is_the_same_by_way_by_class_and_by_restriction(funded):
    statement = statement_of(funded, *_ALWAYS)
    received, _ = lines_of(statement, wording.RECEIVED)[wording.TOTAL[0]]
    by_class = sum(amount for amount, _ in lines_of(statement, wording.BY_CLASS).values())
    by_restriction = sum(amount for amount, _ in lines_of(statement, wording.BY_RESTRICTION).values())
    assert received > 0
    assert (by_class, by_restriction) == (received, received)
    assert lines_of(statement, wording.RETURNED)[wording.TOTAL[0]] == (600_000, None)


def test_a_period_begins_where_the_one_before_it_ended(funded):
    cut = funded.second_day - timedelta(days=1)
    first = statement_of(funded, _ALWAYS[0], cut)
    second = statement_of(funded, funded.second_day, _ALWAYS[1])
    assert lines_of(second, wording.OPENING) == lines_of(first, wording.CLOSING)
    whole = statement_of(funded, *_ALWAYS)
    sums = [lines_of(each, wording.RECEIVED)[wording.TOTAL[0]][0] for each in (first, second)]
    assert sum(sums) == lines_of(whole, wording.RECEIVED)[wording.TOTAL[0]][0]


def test_the_sheet_has_the_figures_of_the_statement(funded):
    statement = statement_of(funded, *_ALWAYS)
    sheet = openpyxl.load_workbook(io.BytesIO(statement_xlsx(statement, "vi"))).active
    rows = [tuple(row) for row in sheet.iter_rows(min_row=3, values_only=True)]
    expected = []
    for section in statement.sections:
        expected.append((section.title[0], None, None))
        expected += [(f"    {line.words[0]}", line.amount_vnd, line.cards) for line in section.lines]
    assert rows == expected


def test_the_pdf_is_whole_and_markup_in_a_name_stays_text(funded):
    statement = statement_of(funded, *_ALWAYS)
    content = statement_pdf(statement, is_provisional=True)
    assert content.startswith(b"%PDF-")
    assert len(content) > 10_000


def test_treasurers_and_auditors_see_it_and_supervisors_do_not(funded):
    runtime = funded.office.runtime
    for login, role, status in (
        ("quy", "treasurer", 200),
        ("soat", "auditor", 200),
        ("giamsat", "supervisor", 403),
    ):
        an_account(runtime, login, role)
        client = funded.app.test_client()
        assert log_in(client, login).status_code == 303
        for path in ("statement", "statement.pdf", "statement.xlsx"):
            assert client.get(f"/funds/{FUND}/{path}").status_code == status, (login, path)
        assert client.get(f"/funds/{FUND + 1}/statement").status_code == (404 if status == 200 else 403)


def test_the_page_shows_the_days_that_were_asked_for_in_both_languages(funded):
    client = funded.app.test_client()
    an_account(funded.office.runtime, "quy2", "treasurer")
    log_in(client, "quy2")
    vi = client.get(f"/funds/{FUND}/statement?from=2020-01-01&to=2020-01-31").get_data(as_text=True)
    assert 'value="2020-01-31"' in vi
    assert wording.CLOSING[0] in vi
    en = client.get(f"/funds/{FUND}/statement?lang=en").get_data(as_text=True)
    assert wording.CLOSING[1] in en
