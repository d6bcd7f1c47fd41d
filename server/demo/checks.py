"""What has to be true after the replay: each figure beside what it should be.

Three sides are compared: the published figures, the server's board and books, and the recount over
the tablets' own files, which shares no code with the server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from server.audit.queries import broken_audit_chains, feeds_that_disagree
from server.demo.figures import (
    DRIVE,
    EVENING_DAY,
    FIRST_LAUNCH,
    LAUNCH_DAYS,
    PUBLISHED_PEOPLE,
    QUOTED_PERCENT,
    SECOND_LAUNCH,
)
from server.demo.office import DemoOffice
from server.demo.plan import Plan
from server.demo.planning import officers_who_met
from server.demo.replay import Happened
from server.devices.queries import all_installations
from server.journals.queries import verdicts_between
from server.journals.views import contested_count, counts_by_state
from server.money.queries import balances_of_agents, ledger_totals, unbalanced_entries
from server.outreach.queries import dues_against_tables
from server.quotas.board import BoardRow, QuotedRatio, TotalRow, board_rows, totals
from server.quotas.minimums import MinimumBoard, minimum_boards
from server.quotas.pace import percent_of
from server.quotas.rules import OFFICE_CAMPAIGN
from server.receipts.queries import open_incidents
from server.register.queries import baselines_of, register_of
from server.register.rules import net_change

CAMPAIGNS = (FIRST_LAUNCH, SECOND_LAUNCH, DRIVE)
# Holders whose figure is the sum of those below them.
HOLD_OTHERS = ("office", "area", "organisation")
_COMPARED_STATES = ("counted", "pending", "duplicate", "over_limit", "out_of_area", "voided", "late")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, in Vietnamese and English."""

    name: tuple[str, str]
    expected: Any
    found: Any

    @property
    def is_right(self) -> bool:
        """Return whether it is as it should be."""
        return bool(self.expected == self.found)


@dataclass(frozen=True)
class Board:
    """The board after the replay: every campaign's rows and totals."""

    rows: dict[int, list[BoardRow]]
    totals: dict[int, dict[str, TotalRow]]
    minimums: list[MinimumBoard]
    published: tuple[QuotedRatio, ...]

    def counted(self, indicator: str, *campaigns: int) -> int:
        """Return what counts for an indicator in these campaigns together."""
        found = (self.totals[campaign].get(indicator) for campaign in campaigns)
        return sum(total.row.sums.counted for total in found if total is not None)

    def summed(self, state: str) -> int:
        """Return how many enrolments of agents are in a state."""
        return sum(
            getattr(row.sums, state)
            for rows in self.rows.values()
            for row in rows
            if row.holder_kind == "agent" and row.indicator.endswith("_enrolled")
        )

    def figures(self) -> dict[str, dict[str, int]]:
        """Return the rows in the recount's words, without states that are zero.

        Those who hold others are left out: what they did is what those below did.
        """
        found = {}
        for campaign, rows in self.rows.items():
            for row in rows:
                if row.holder_kind in HOLD_OTHERS:
                    continue
                sums = {state: getattr(row.sums, state) for state in _COMPARED_STATES}
                states = {state: number for state, number in sums.items() if number}
                if states:
                    found[f"{campaign}|{row.indicator}|{row.holder_kind}|{row.holder}"] = states
        return found


def read_board(connection: Connection) -> Board:
    """Read the board as it stands when the campaigns are over."""
    return Board(
        rows={campaign: board_rows(connection, campaign, EVENING_DAY) for campaign in CAMPAIGNS},
        totals={
            campaign: {total.row.indicator: total for total in totals(connection, campaign, EVENING_DAY)}
            for campaign in CAMPAIGNS
        },
        minimums=minimum_boards(connection, DRIVE, EVENING_DAY),
        published=tuple(
            each for total in totals(connection, OFFICE_CAMPAIGN, EVENING_DAY) for each in total.quoted
        ),
    )


def figures_checks(plan: Plan, board: Board) -> Iterator[Check]:
    """The published figures."""
    scale, launches = plan.scale, (FIRST_LAUNCH, SECOND_LAUNCH)
    voluntary = board.counted("voluntary_enrolled", *launches)
    health = board.counted("health_enrolled", *launches)
    yield Check(
        ("BHXH tự nguyện, hai ngày ra quân", "voluntary, two launch days"), sum(scale.voluntary), voluntary
    )
    yield Check(("BHYT hộ gia đình, hai ngày ra quân", "health, two launch days"), sum(scale.health), health)
    persuaded = board.totals[DRIVE]["persuaded"]
    done = (persuaded.row.sums.counted, persuaded.row.quota)
    yield Check(
        ("Cán bộ vận động: đạt / chỉ tiêu", "persuaded by officers: done / quota"),
        (scale.persuaded, scale.officers_quota),
        done,
    )
    quoted = [(str(each.percent), each.quoted_percent, each.is_misquoted) for each in persuaded.quoted]
    yield Check(
        ("Tỷ lệ tính được, tỷ lệ đã công bố, lệch", "computed, quoted, mismatch flagged"),
        [(str(percent_of(scale.persuaded, scale.officers_quota)), QUOTED_PERCENT, True)],
        quoted,
    )
    yield Check(
        ("Tổng lượt ghi danh được tính", "all counted enrolments"), scale.counted, board.summed("counted")
    )


def plan_checks(plan: Plan, board: Board) -> Iterator[Check]:
    """The plans: trees that add up, a minimum met whole, and ratios of plans that never were published."""
    for campaign in LAUNCH_DAYS:
        sums: dict[str, list[int]] = {}
        for row in board.rows[campaign]:
            if row.indicator.endswith("_enrolled"):
                asked, done = sums.get(row.holder_kind, [0, 0])
                sums[row.holder_kind] = [asked + (row.quota or 0), done + row.sums.done]
        kept = sum(total.reserve or 0 for total in board.totals[campaign].values())
        asked, done = sums["agent"]
        yield Check(
            (
                f"Cây chỉ tiêu, chiến dịch {campaign}: đại lý, huyện, văn phòng khớp nhau; dự phòng {kept}",
                "the tree adds up: agents, districts, office and its reserve",
            ),
            ([asked, done], [asked + kept, done]),
            (sums["area"], sums["office"]),
        )
    (minimum,) = board.minimums
    yield Check(
        ("Cán bộ đạt trọn mức 1 + 2 (như Cần Thơ)", "officers who met all of the minimum of 1 + 2"),
        (officers_who_met(plan), plan.scale.officers),
        (minimum.met, minimum.asked),
    )
    yield Check(
        (
            "18.816 người, 113 % và 107 %: khoảng suy từ tỷ lệ công bố",
            "the bounds of both plans that follow from the published ratios",
        ),
        [
            (PUBLISHED_PEOPLE, "113", (16_578, 16_725), False),
            (PUBLISHED_PEOPLE, "107", (17_504, 17_667), False),
        ],
        [(each.done, each.quoted_percent, each.bounds, each.is_misquoted) for each in board.published],
    )


def register_checks(connection: Connection, plan: Plan) -> Iterator[Check]:
    """The participant register: whole, and its stock moves by exactly what the page tells."""
    register = register_of(connection, "voluntary")
    (baseline,) = baselines_of(connection, "voluntary")
    fates = register.fates(baseline, EVENING_DAY)
    change = net_change(baseline, EVENING_DAY, register.listed_as_of(baseline), fates)
    yield Check(
        (
            f"Sổ người tham gia đủ như mốc «{baseline.name}»",
            "the register is whole as of its baseline",
        ),
        (plan.scale.listed, plan.scale.listed, True),
        (change.stock, change.listed, change.is_whole),
    )
    yield Check(
        (
            f"Ròng {change.net:+}: mốc + mới − giảm + chờ đối chiếu = đang còn hạn",
            "baseline, new, lapsed and pending make up who is insured",
        ),
        register.insured_on(EVENING_DAY),
        change.stock + change.new - change.lost + change.unmatched,
    )


def recount_checks(
    connection: Connection, office: DemoOffice, board: Board, recount: Mapping[str, Any]
) -> Iterator[Check]:
    """The recount over the tablets' files, against the server's books."""
    shown, counted = board.figures(), recount["figures"]
    wrong = sorted(key for key in shown.keys() | counted.keys() if shown.get(key) != counted.get(key))
    yield Check(
        (
            f"Đếm lại độc lập khớp bảng chỉ tiêu ({len(counted)} ô)",
            f"the recount equals the board ({len(counted)} cells)",
        ),
        [],
        [f"{key}: {counted.get(key)} ≠ {shown.get(key)}" for key in wrong],
    )
    balances = balances_of_agents(connection, office.agents)
    books = {
        agent: {
            "cash_vnd": balance.cash_in_hand_vnd,
            "transfers_vnd": balance.transfer_claims_vnd,
            "unsettled_vnd": balance.suspense_vnd,
        }
        for agent, balance in balances.items()
    }
    money = {agent: {**dict.fromkeys(books[agent], 0), **sums} for agent, sums in recount["money"].items()}
    differing = sorted(agent for agent in books if books[agent] != money.get(agent))
    total_vnd = sum(sums["cash_vnd"] + sums["transfers_vnd"] for sums in money.values())
    yield Check(
        (
            f"Tiền trên sổ cái khớp đếm lại ({total_vnd:,} đ)".replace(",", "."),
            "the ledger equals the recount, agent by agent",
        ),
        [],
        [f"{agent}: {money.get(agent)} ≠ {books[agent]}" for agent in differing],
    )
    dues = dues_against_tables(connection)
    yield Check(
        (
            f"Số phải đóng đúng bảng mức đóng ({dues['agree']} lượt)",
            f"amounts due are those of the rate tables ({dues['agree']})",
        ),
        (True, 0, 0),
        (dues["agree"] > 0, dues["differ"], dues["unchecked"]),
    )
    ledger = ledger_totals(connection)
    yield Check(
        ("Sổ cái cân đối", "the ledger balances"),
        (0, []),
        (ledger.debit_vnd - ledger.credit_vnd, unbalanced_entries(connection)),
    )
    states = counts_by_state(connection, office.agents)
    yield Check(
        ("Mỗi mục có hiệu lực đúng một lần", "every entry has one effect"),
        (recount["entries"], 0, 0),
        (sum(sum(of.values()) for of in states.values()), recount["clashing"], recount["unsent"]),
    )
    yield Check(
        ("Kết luận trên máy đúng như máy chủ lưu", "verdicts on tablets are the stored ones"),
        {},
        _differing_verdicts(connection, recount["verdicts"]),
    )


def _differing_verdicts(connection: Connection, heard: Mapping[str, Any]) -> dict[str, str]:
    """Return the installations whose tablet heard other verdicts than the server keeps."""
    found = {}
    for installation in all_installations(connection):
        if not installation.acked_seq:
            continue
        shown = heard.get(installation.id)
        if shown is None:
            found[installation.id] = "unheard"
            continue
        verdicts = verdicts_between(connection, installation.id, 1, shown["last_seq"])
        lines = [f"{verdict.seq}:{verdict.decision}" for verdict in verdicts]
        is_same = hashlib.sha256("\n".join(lines).encode()).hexdigest() == shown["sha256"]
        if not is_same or shown["last_seq"] != installation.acked_seq:
            found[installation.id] = "differs"
    return found


def planted_checks(
    connection: Connection, plan: Plan, board: Board, recount: Mapping[str, Any], happened: Happened
) -> Iterator[Check]:
    """Everything planted did happen, and did no harm."""
    count, planted = plan.scale.planted, recount["planted"]
    yield Check(
        ("Người được hai đại lý ghi danh; lượt trùng", "people enrolled by two agents; duplicates"),
        (count, count),
        (planted["enrolled_twice"], board.summed("duplicate")),
    )
    yield Check(
        ("Lượt ghi danh đến muộn, vẫn tính theo lúc ghi", "late enrolments, counted by capture"),
        (count, 0),
        (planted["late"], board.summed("late")),
    )
    yield Check(
        ("Khoản thu bị giữ lại, tiền đã vào sổ một lần", "quarantined cash, on the ledger once"),
        (count, count),
        (planted["quarantined_cash"], board.summed("pending")),
    )
    shared = planted["shared_numbers"]
    yield Check(
        ("Số biên lai mà cả hai bản sao đã cấp: đều báo sự cố", "receipt numbers that both copies gave out"),
        (True, shared, shared, count + shared),
        (
            shared > 0,
            planted["quarantined_receipts"],
            len(open_incidents(connection)),
            planted["quarantined"],
        ),
    )
    yield Check(
        ("Mục chưa có kết luận hoặc đang chờ", "entries unjudged or held"),
        (0, 0),
        (planted["unjudged"], planted["held"]),
    )
    yield Check(
        ("Máy bị tắt ngang khi đang đồng bộ", "a client killed while syncing"),
        (-9, False),
        (happened.killed_tablet_status, happened.killed_tablet_had_finished),
    )
    yield Check(
        ("Một trả lời bị mất sau khi đã lưu", "an answer lost after the commit"), 1, int(happened.reply_lost)
    )
    yield Check(
        ("Máy chủ bị kill -9 giữa giao dịch", "the server killed inside a transaction"),
        1,
        int(happened.killed_server),
    )
    states = sorted(each.state for each in all_installations(connection) if each.state != "active")
    forked = [each for each in all_installations(connection) if contested_count(connection, each.id)]
    yield Check(
        ("Máy bị nhân bản: cả hai dừng, đăng ký lại", "a cloned client: both stop and enrol again"),
        (["journal_forked", "installation_fenced"], 2, ["superseded"], 1),
        (happened.clone_codes, happened.clone_synced, states, len(forked)),
    )
    yield Check(
        ("Mọi lần đồng bộ đều xong", f"all {happened.syncs} syncs done"),
        [],
        happened.failed_syncs,
    )


def integrity_checks(connection: Connection) -> Iterator[Check]:
    """The chains and feeds hold."""
    yield Check(
        ("Chuỗi kiểm toán nguyên vẹn", "audit chains unbroken"), [], list(broken_audit_chains(connection))
    )
    yield Check(
        ("Luồng dữ liệu khớp tổng kiểm", "feeds agree with their sums"),
        [],
        list(feeds_that_disagree(connection)),
    )
