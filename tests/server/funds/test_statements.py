"""Statements in a fund's books: read twice, overlapping, in any order; lines matched, undone, and refused."""

from __future__ import annotations

import random
import threading
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from server.bank.actions import put_match, save_mapping
from server.bank.codes import StatementCode
from server.bank.queries import (
    matches_of_lines,
    opened_words,
    standing_matches,
    statement_checks,
    unmatched_lines,
)
from server.funds.giving import take_transfer_donation
from server.funds.office_receipts import standing_receipt
from server.funds.payouts import approve_payout, propose_refund
from server.funds.rules import MatchKind
from server.funds.statements import (
    MatchRefusal,
    MatchRefusedError,
    donation_of_line,
    import_statement,
    match_line,
    unmatch_line,
)
from server.funds.verification import fund_differences
from tests.server.bank.statements import Moved, as_csv, as_xlsx, debit_credit_rows, signed_rows
from tests.support.funds import FUND, FundOffice, a_fund_office
from tests.support.offices import open_runtime

ACCOUNT = "0112345678"


@pytest.fixture
def office(sqlite_url):
    with open_runtime(sqlite_url) as runtime:
        yield a_fund_office(runtime)


def sheet(lines, opening=0, **more):
    return as_xlsx(debit_credit_rows(lines, opening, ACCOUNT, **more))


def read(office: FundOffice, content: bytes, **more):
    return office.act(import_statement, FUND, content, **more)


def open_lines(office: FundOffice):
    return office.read(unmatched_lines, FUND)


def refused(office: FundOffice, *arguments) -> MatchRefusal:
    with pytest.raises(MatchRefusedError) as found:
        office.act(*arguments)
    return found.value.code


def problems(office: FundOffice):
    return office.read(fund_differences, office.runtime.config.time_zone)


def test_a_statement_brings_its_lines_and_the_account_equals_its_balance(office):
    lines = [Moved(office.day, 500_000, "ung ho", "a"), Moved(office.day, -11_000, "phi", "b")]
    found = read(office, sheet(lines))
    assert (found.faults, found.lines, found.new, found.matched) == ((), 2, 2, 0)
    assert (office.standing.bank_vnd, office.standing.unidentified_vnd) == (489_000, 489_000)
    [check] = office.read(statement_checks, FUND)
    assert (check.opening_difference_vnd, check.closing_difference_vnd, check.gap) == (0, 0, None)


def test_the_same_file_again_and_the_same_lines_in_another_order_change_nothing(office):
    lines = [Moved(office.day, n * 1_000, "ung ho", f"FT{n}") for n in range(1, 6)]
    content = sheet(lines)
    read(office, content)
    again = read(office, content)
    assert (again.new, again.is_known_file) == (0, True)
    assert read(office, as_xlsx(debit_credit_rows(list(reversed(lines)), 0, ACCOUNT))).new == 0
    assert read(office, as_csv(signed_rows(lines))).new == 0, "another layout says the same"
    assert office.standing.bank_vnd == 15_000


def test_two_truly_equal_lines_of_a_day_both_count_and_come_once(office):
    one, day_before = Moved(office.day, 100_000, "ung ho"), Moved(office.day - timedelta(1), 7, "x")
    read(office, sheet([day_before, one]))
    assert read(office, sheet([one, one], opening=7)).new == 1
    assert read(office, sheet([day_before, one, one])).new == 0
    assert office.standing.bank_vnd == 200_007


def test_a_statement_with_a_fault_writes_nothing_and_a_dry_run_neither(office):
    lines = [Moved(office.day, 500_000, "ung ho")]
    found = read(office, sheet(lines, closing=1))
    assert [fault.code for fault in found.faults] == [StatementCode.CLOSING_DIFFERS]
    dry = read(office, sheet(lines), dry_run=True)
    assert (dry.new, dry.import_id) == (1, None)
    assert open_lines(office) == []
    assert office.read(statement_checks, FUND) == []


def test_who_paid_is_sealed_and_neither_the_audit_nor_an_id_says_it(office):
    read(office, sheet([Moved(office.day, 500_000, "NGUYEN VAN CANARY ung ho")]))
    [line] = open_lines(office)
    assert opened_words(office.runtime.sealer, line).description == "NGUYEN VAN CANARY ung ho"
    with office.runtime.transactions.reading() as connection:
        for table in ("bank_line", "bank_import", "audit_row", "ledger_line", "desk_record"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows
            assert "CANARY" not in str(rows), table


def test_no_fund_and_no_mapping_are_refused(office):
    content = sheet([Moved(office.day, 1_000, "x")])
    assert refused(office, import_statement, 99, content) is MatchRefusal.FUND_UNKNOWN
    with pytest.raises(MatchRefusedError):
        read(office, content, mapping="khác")


def test_a_saved_mapping_reads_what_no_known_layout_does(office):
    rows = [["Buchungstag", "Betrag", "Zweck"], [f"{office.day:%d/%m/%Y}", "500.000", "Ủng hộ"]]
    assert read(office, as_xlsx(rows)).faults[0].code is StatementCode.LAYOUT_UNKNOWN
    columns = {"day": "Buchungstag", "amount": "Betrag", "description": "Zweck"}
    for _ in range(2):
        office.change(lambda change: save_mapping(change, "khác", columns))
    assert read(office, as_xlsx(rows), mapping="khác").new == 1


def test_days_that_no_statement_covers_and_money_that_is_missing_show(office):
    first, later = office.day - timedelta(10), office.day
    read(office, sheet([Moved(first, 100_000, "a")]))
    read(office, sheet([Moved(later, 5_000, "b")], opening=130_000))
    one, two = office.read(statement_checks, FUND)
    assert one.gap is None
    assert two.gap == (first + timedelta(1), later - timedelta(1))
    assert (two.opening_difference_vnd, two.closing_difference_vnd) == (30_000, 30_000)


def test_a_named_transfer_is_matched_as_its_statement_comes_and_gets_a_receipt(office):
    given = office.given(500_000)
    donation = office.act(take_transfer_donation, given, office.day)
    found = read(office, sheet([Moved(office.day, 500_000, "CONG TY TNHH MAU ung ho")]))
    assert found.matched == 1
    assert (office.standing.free_vnd, office.standing.unidentified_vnd) == ({"any": 500_000}, 0)
    receipt = office.change(lambda change: (change.audit("look", "x"), standing_receipt(change, donation))[1])
    assert receipt is not None
    assert problems(office) == []


def test_a_door_transfer_matched_by_hand_is_no_claim_of_its_agent_any_more(office):
    entry = office.door_donation(300_000, method="transfer")
    read(office, sheet([Moved(office.day, 300_000, "chuyen khoan")]))
    [line] = open_lines(office)
    match_id = office.act(match_line, line.id, MatchKind.DOOR_DONATION, entry)
    assert (office.standing.free_vnd, office.standing.claimed_vnd["any"]) == ({"any": 300_000}, 0)
    assert refused(office, match_line, line.id, MatchKind.NOTHING, None) is MatchRefusal.LINE_MATCHED
    assert problems(office) == []
    office.act(unmatch_line, match_id, "Chọn nhầm người chuyển")
    assert (office.standing.free_vnd["any"], office.standing.claimed_vnd["any"]) == (0, 300_000)
    assert [each.id for each in open_lines(office)] == [line.id]
    [kept] = office.read(matches_of_lines, [line.id])[line.id]
    assert kept.undone_reason == "Chọn nhầm người chuyển"
    assert problems(office) == []
    assert refused(office, unmatch_line, match_id, "Chọn nhầm lần nữa") is MatchRefusal.MATCH_UNKNOWN


def test_what_cannot_be_is_refused(office):
    entry = office.door_donation(300_000, method="transfer")
    cash = office.door_donation(300_000)
    lines = [Moved(office.day, 300_000, "a"), Moved(office.day, 300_000, "b"), Moved(office.day, 1_000, "c")]
    read(office, sheet(lines))
    one, two, small = sorted(open_lines(office), key=lambda each: -each.amount_vnd)
    assert refused(office, match_line, "nothing", MatchKind.NOTHING, None) is MatchRefusal.LINE_UNKNOWN
    assert refused(office, match_line, one.id, MatchKind.DOOR_DONATION, cash) is MatchRefusal.TARGET_GONE
    assert refused(office, match_line, one.id, MatchKind.OFFICE_DONATION, entry) is MatchRefusal.TARGET_GONE
    assert (
        refused(office, match_line, small.id, MatchKind.DOOR_DONATION, entry) is MatchRefusal.AMOUNTS_DIFFER
    )
    assert refused(office, match_line, small.id, MatchKind.DEPOSIT, None) is MatchRefusal.OFFICE_CASH_SHORT
    match_id = office.act(match_line, one.id, MatchKind.DOOR_DONATION, entry)
    assert refused(office, match_line, two.id, MatchKind.DOOR_DONATION, entry) is MatchRefusal.TARGET_GONE
    assert refused(office, unmatch_line, match_id, "ngắn") is MatchRefusal.REASON_MISSING


def test_remittance_deposit_refund_and_bounce_each_move_their_own_account(office):
    office.door_donation(200_000)
    office.cash(150_000)
    remitted = office.remit(200_000, destination="bank_account")
    lines = [
        Moved(office.day, 200_000, "nop tien", "r"),
        Moved(office.day, 150_000, "nop tien mat", "d"),
        Moved(office.day, 90_000, "le van gui", "g"),
        Moved(office.day, 70_000, "tran van lui", "b"),
    ]
    read(office, sheet(lines))
    by_amount = {line.amount_vnd: line.id for line in open_lines(office)}
    office.act(match_line, by_amount[200_000], MatchKind.REMITTANCE, remitted)
    office.act(match_line, by_amount[150_000], MatchKind.DEPOSIT, None)
    refundable = office.act(donation_of_line, by_amount[90_000], office.given(90_000))
    bouncing = office.act(donation_of_line, by_amount[70_000], office.given(70_000))
    standing = office.standing
    assert (standing.in_transit_vnd, standing.office_cash_vnd, standing.unidentified_vnd) == (0, 0, 0)
    assert standing.free_vnd == {"any": 510_000}
    payout = office.act(propose_refund, FUND, refundable, 90_000, "Người gửi chuyển nhầm")
    office.second(approve_payout, payout)
    back = [Moved(office.day, -90_000, "hoan tien", "h"), Moved(office.day, -70_000, "chuyen tra", "t")]
    read(office, sheet([*lines, *back]))
    by_amount = {line.amount_vnd: line.id for line in open_lines(office)}
    office.act(match_line, by_amount[-90_000], MatchKind.REFUND, payout)
    assert refused(office, match_line, by_amount[-70_000], MatchKind.BOUNCE, refundable) is (
        MatchRefusal.TARGET_GONE
    )
    [match_id] = [match.id for _, match in office.read(standing_matches, FUND) if match.target_id == bouncing]
    bounce = office.act(match_line, by_amount[-70_000], MatchKind.BOUNCE, bouncing)
    assert office.standing.free_vnd == {"any": 350_000}
    assert office.standing.refund_due_vnd == 0
    assert refused(office, unmatch_line, match_id, "Không phải người này") is MatchRefusal.BOUNCED_SINCE
    assert problems(office) == []
    office.act(unmatch_line, bounce, "Ngân hàng chuyển trả nhầm")
    assert office.standing.free_vnd == {"any": 420_000}
    assert problems(office) == []


def test_of_people_who_match_one_target_at_once_one_is_heard(any_database):
    with open_runtime(any_database) as runtime:
        office = a_fund_office(runtime)
        entry = office.door_donation(300_000, method="transfer")
        read(office, sheet([Moved(office.day, 300_000, f"lần {n}") for n in range(4)]))
        together, codes = threading.Barrier(4), []

        def decide(line_id: str) -> None:
            together.wait()
            try:
                office.act(match_line, line_id, MatchKind.DOOR_DONATION, entry)
                codes.append("matched")
            except MatchRefusedError as error:
                codes.append(error.code.value)

        threads = [threading.Thread(target=decide, args=(line.id,)) for line in open_lines(office)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == ["matched", *["target_gone"] * 3]
        assert office.standing.free_vnd == {"any": 300_000}


def test_the_tables_keys_refuse_a_second_match_whoever_writes_it(any_database):
    with open_runtime(any_database) as runtime:
        office = a_fund_office(runtime)
        read(office, sheet([Moved(office.day, 1_000, "a"), Moved(office.day, 1_000, "b")]))
        one, two = open_lines(office)
        for first, second in (((one.id, "x"), (one.id, "y")), ((one.id, "x"), (two.id, "x"))):

            def work(change, pairs=(first, second)) -> None:
                change.audit("matched", "twice")
                for number, (line_id, target) in enumerate(pairs):
                    put_match(change, f"{target}{number}", line_id, FUND, "door_donation", target)

            with pytest.raises(IntegrityError):
                office.change(work)


_DAY = date(2020, 5, 1)
_MOVES = st.lists(
    st.tuples(
        st.integers(0, 9), st.sampled_from([100_000, 250_000, -5_000]), st.sampled_from(["ung ho", "quy"])
    ),
    min_size=1,
    max_size=25,
)
_SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=_MOVES, spans=_SPANS, shuffle=st.randoms(use_true_random=False))
def test_files_in_any_order_with_any_overlap_give_the_same_lines(
    moves, spans, shuffle: random.Random, tmp_path_factory, sqlite_template
):
    lines = [Moved(_DAY + timedelta(days=day), amount, text) for day, amount, text in sorted(moves)]
    files = []
    for span in [*spans, (0, 9)]:
        first, last = (_DAY + timedelta(days=day) for day in (min(span), max(span)))
        within = [line for line in lines if first <= line.day <= last]
        if within:
            opening = sum(line.amount_vnd for line in lines if line.day < first)
            # An export may order the lines of one day in any way.
            shuffle.shuffle(within)
            within.sort(key=lambda line: line.day)
            rows = (
                signed_rows(within, opening)
                if shuffle.random() < 0.5
                else debit_credit_rows(within, opening, ACCOUNT)
            )
            files.append(as_xlsx(rows))
    found = []
    for _ in range(2):
        shuffle.shuffle(files)
        path = tmp_path_factory.mktemp("any") / "office.sqlite3"
        path.write_bytes(sqlite_template.read_bytes())
        with open_runtime(f"sqlite:///{path}") as runtime:
            office = a_fund_office(runtime)
            for content in files:
                assert read(office, content).faults == ()
            assert office.standing.bank_vnd == sum(line.amount_vnd for line in lines)
            found.append(sorted((each.id, each.amount_vnd) for each in open_lines(office)))
            assert len(found[-1]) == len(lines)
            assert all(
                check.closing_difference_vnd in (0, None) for check in office.read(statement_checks, FUND)
            )
    assert found[0] == found[1]
