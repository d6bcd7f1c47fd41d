"""A restore brings a fund back: rows from the desk journal, postings from the rows, receipts and all."""

from __future__ import annotations

import pytest

from server.funds.issuing import issue_card
from server.funds.payouts import approve_payout, propose_premium
from server.funds.rules import MatchKind
from server.funds.setting_up import amend_fund, define_pool
from server.funds.verification import fund_differences
from server.receipts.queries import newest_office_receipt
from server.recovery.jobs import replay_what_waits
from tests.support.fund_decisions import CARD, approved
from tests.support.funds import FUND, FundOffice, a_fund, pools_and_fund
from tests.support.office_checks import problems_of
from tests.support.restoring import backed_up, programs_on_path, restored
from tests.support.small_office import small_office


@pytest.fixture
def office(any_database, monkeypatch):
    """A small office; what doors brought to its fund is put in without entries, all else agrees."""
    programs_on_path(monkeypatch)
    with small_office(any_database) as office:
        yield office
        assert [each for each in problems_of(office) if "entry_id is a row, should be None" not in each] == []
    office.runtime.transactions.engine.dispose()


@pytest.fixture
def fund(office):
    """The fund of a small office."""
    fund = FundOffice(office.runtime)
    fund.change(lambda change: pools_and_fund(change, a_fund()))
    return fund


def records(office):
    """Return what tablets are sent of funds, by type and id."""
    with office.runtime.transactions.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT record_type, record_id, wire_json FROM record"
            " WHERE record_type IN ('fund', 'pool', 'allocation') ORDER BY 1, 2"
        ).all()
    return [tuple(row) for row in rows]


def test_an_older_backup_and_the_desk_journal_give_the_same_fund(office, fund):
    """[R11.6] Everything that the office decided after the backup is there again, to the đồng."""
    fund.transfer(10 * CARD)
    kept = approved(fund)
    backup = backed_up(office, "backup")
    fund.act(issue_card, kept, "0123456789", fund.day, price_vnd=CARD + 7)
    fund.cash(3 * CARD, ("pool", "elderly"))
    approved(fund)
    fund.change(lambda change: amend_fund(change, FUND, a_fund(name="Tên khác")))
    fund.change(lambda change: define_pool(change, "students", "Học sinh", "Pupils"))
    premium = fund.act(propose_premium, FUND)
    fund.second(approve_payout, premium)
    before, receipt, sent = fund.standing, fund.read(newest_office_receipt), records(office)
    done = restored(office, backup)
    assert done.replayed["office_changed"] > 0
    assert fund.standing == before
    assert fund.read(newest_office_receipt) == receipt
    assert records(office) == sent
    assert fund.read(fund_differences, fund.desk.zone) == []


def test_what_was_decided_about_a_donation_that_a_tablet_brings_again_follows_it(office, fund):
    """[R11.6] The match is back at once; its posting, when the donation is."""
    backup = backed_up(office, "backup")
    entry = fund.door_donation(250_000, ("pool", "poor"), method="transfer")
    fund.line(250_000, MatchKind.DOOR_DONATION, entry)
    before = fund.standing
    restored(office, backup)
    assert fund.standing.unidentified_vnd == 250_000
    replay_what_waits(office.runtime)
    assert fund.standing.unidentified_vnd == 250_000
    fund.door_donation(250_000, ("pool", "poor"), method="transfer", entry_id=entry)
    replay_what_waits(office.runtime)
    assert fund.standing == before
    assert fund.read(fund_differences, fund.desk.zone) == []
