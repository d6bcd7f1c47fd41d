"""What is public equals the books to the đồng and the card, however often it was asked for before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.funds.accounts import CARDS_COMMITTED, CARDS_HANDED, CARDS_ISSUED, CARDS_RETURNED
from server.funds.queries import fund_standing
from server.public_ledger.figures import CardStage, Movement
from server.public_ledger.queries import PublicFund, PublicLedger
from tests.server.public_ledger.funded import FUND, PRICE_VND, FundedOffice, fill, funded_office


@pytest.fixture
def funded(any_database) -> Iterator[FundedOffice]:
    with funded_office(any_database) as office:
        yield office


def shown(funded: FundedOffice, ledger: PublicLedger | None = None) -> PublicFund:
    runtime = funded.office.runtime
    ledger = ledger or PublicLedger(runtime.config.time_zone)
    with runtime.transactions.reading() as connection:
        found = ledger.fund(connection, FUND, runtime.clock.now_ms())
    assert found is not None
    return found


def require_books(funded: FundedOffice, found: PublicFund) -> None:
    """The page's figures are those of the books, and its parts add up."""
    with funded.office.runtime.transactions.reading() as connection:
        books = fund_standing(connection, FUND)
    figures = found.figures
    free_vnd = sum(books.free_vnd.values())
    assert figures.free_vnd == free_vnd
    assert figures.committed_vnd == sum(books.reserved_vnd.values())
    assert figures.in_hands_vnd == sum(books.in_hands_vnd.values())
    assert figures.spendable_vnd == max(0, free_vnd - sum(books.in_hands_vnd.values()))
    assert {
        CARDS_COMMITTED: figures.cards[CardStage.COMMITTED],
        CARDS_ISSUED: figures.cards[CardStage.ISSUED],
        CARDS_HANDED: figures.cards[CardStage.HANDED],
        CARDS_RETURNED: figures.cards[CardStage.RETURNED],
    } == dict(books.cards)
    left_vnd = figures.received_vnd - figures.returned_vnd - figures.spent_vnd - figures.committed_vnd
    assert left_vnd == figures.free_vnd
    assert (
        sum(each.amount_vnd for each in figures.movements if each.kind is Movement.DOOR)
        == (figures.by_kind_vnd[Movement.DOOR])
    )


def test_the_page_equals_the_books_to_the_dong_and_the_card(funded):
    fill(funded)
    found = shown(funded)
    require_books(funded, found)
    doors_vnd = sum(500_000 + 10_000 * number for day in range(6) for number in range(3 + day))
    assert found.figures.by_kind_vnd == {
        Movement.DOOR: doors_vnd,
        Movement.OFFICE: 171_000_000,
        Movement.TRANSFER: 67_000_000,
        Movement.REFUND: 1_500_000,
        Movement.BOUNCE: 2_000_000,
        Movement.PREMIUM: PRICE_VND * (41 + 12 + 2 + 3 + 25 + 64 + 8 + 6),
    }
    assert found.figures.in_hands_vnd == doors_vnd - 6_500_000
    assert found.communes is not None
    placed = {row.name: row.cards for row in found.communes}
    assert placed["Phường 4"]["handed"] is None
    assert placed["Phường 7"]["committed"] == 30


def test_a_ledger_that_was_asked_before_answers_as_a_fresh_one_after_each_change(funded, monkeypatch):
    # So that the sums of older lines are moved on again and again.
    monkeypatch.setattr("server.public_ledger.queries._TAIL_MOST", 3)
    ledger = PublicLedger(funded.office.runtime.config.time_zone)
    steps = [
        lambda: funded.door(500_000),
        lambda: funded.door(700_000, worker=1),
        lambda: funded.remit(600_000),
        lambda: funded.at_office(90_000_000),
        lambda: funded.cards(7, "handed"),
        lambda: funded.refund(50_000),
        lambda: funded.door(300_000),
        lambda: funded.cards(2, "returned"),
    ]
    for step in steps:
        step()
        assert shown(funded, ledger) == shown(funded)
        require_books(funded, shown(funded, ledger))
        funded.office.clock.advance(seconds=3_600)


def test_a_line_that_comes_with_an_old_time_is_not_missed(funded):
    ledger = PublicLedger(funded.office.runtime.config.time_zone)
    funded.door(500_000)
    funded.office.clock.advance(seconds=7 * 86_400)
    funded.door(600_000)
    assert shown(funded, ledger).figures.received_vnd == 1_100_000
    funded.office.clock.advance(seconds=-6 * 86_400)
    funded.door(50_000)
    funded.office.clock.advance(seconds=6 * 86_400)
    assert shown(funded, ledger).figures.received_vnd == 1_150_000


def test_few_gifts_of_a_day_are_summed_and_not_counted(funded):
    for _ in range(4):
        funded.door(500_000)
    (few,) = shown(funded).figures.movements
    assert (few.amount_vnd, few.counted) == (2_000_000, None)
    funded.door(500_000)
    (enough,) = shown(funded).figures.movements
    assert (enough.amount_vnd, enough.counted) == (2_500_000, 5)
