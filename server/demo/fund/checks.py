"""What has to be true after a fund's year: the books, the public page and the recount say the same.

The recount reads the input files and the tablets' own files in a process of its own, and shares no code
with the server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from sqlalchemy import Connection, func, select

from server.demo.checks import Check
from server.demo.fund.figures import (
    DONORS_VND,
    FUND,
    MORE_THAN_VND,
    STAFF_VND,
    TARGET_CARDS,
    TERM_MONTHS,
)
from server.demo.fund.plan import FundPlan
from server.demo.fund.prices import card_price_vnd
from server.demo.fund.replay import FundYear
from server.demo.fund.rows import DOOR_DONATIONS, HANDOVERS, MATCHES, OFFICE_DONATIONS
from server.demo.processes import DemoFailedError, child_environment
from server.funds.office_queries import allocations_of
from server.funds.queries import fund_standing
from server.funds.verification import fund_differences
from server.money.queries import ledger_totals, unbalanced_entries
from server.receipts.wording import amount_text
from server.runtime import Runtime

_SUMS = (
    "bank_vnd",
    "office_cash_vnd",
    "in_transit_vnd",
    "unidentified_vnd",
    "due_insurer_vnd",
    "refund_due_vnd",
)
_BY_BUCKET = ("claimed_vnd", "free_vnd", "reserved_vnd", "in_hands_vnd", "spendable_vnd")
# What stands at each stage, as the ledger in cards calls it.
_ACCOUNTS = {
    "cards_committed": "approved",
    "cards_issued": "issued",
    "cards_handed": "handed_over",
    "cards_returned": "returned",
}


def recount_fund(year: FundYear) -> dict[str, Any]:
    """Run the recount in a process of its own. Raises DemoFailedError."""
    done = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "field_client.fund_recount", str(year.files), *map(str, year.homes)],
        capture_output=True,
        check=False,
        env=child_environment({}),
    )
    if done.returncode != 0:
        raise DemoFailedError(f"the fund's recount failed: {done.stderr.decode(errors='replace')[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fund_checks(runtime: Runtime, plan: FundPlan, year: FundYear, url: str) -> Iterator[Check]:
    """Hold the books of the fund's year against the recount, and the public page against the books."""
    recount = recount_fund(year)
    with runtime.transactions.reading() as connection:
        yield from _published(recount)
        yield from _books(connection, recount)
        yield from _cards(connection, recount)
        yield from _planted(connection, plan, year, recount)
        yield Check(
            ("Sổ quỹ tính lại từ đầu: không lệch", "the fund's books derived anew from its rows"),
            [],
            [str(each) for each in fund_differences(connection, runtime.config.time_zone)],
        )
    yield from _public(url, recount)


def _published(recount: Mapping[str, Any]) -> Iterator[Check]:
    gave = recount["twenty_days_vnd"]
    yield Check(
        (
            f"20 ngày: nhân viên góp {amount_text(gave['staff'])}, ngoài ngành {amount_text(gave['donors'])}",
            "staff and donors gave what was published in twenty days",
        ),
        (STAFF_VND, DONORS_VND, True),
        (gave["staff"], gave["donors"], gave["donors"] > MORE_THAN_VND),
    )


def _books(connection: Connection, recount: Mapping[str, Any]) -> Iterator[Check]:
    standing = fund_standing(connection, FUND)
    shown: dict[str, Any] = {name: getattr(standing, name) for name in _SUMS}
    for name in _BY_BUCKET:
        by_bucket = getattr(standing, name)
        shown[name] = {bucket: amount for bucket, amount in sorted(by_bucket.items()) if amount}
    yield Check(
        (
            f"Sổ cái đồng khớp đếm lại từ giấy tờ: {len(shown)} khoản mục, đến từng đồng",
            "the ledger in đồng equals the recount, account by account and bucket by bucket",
        ),
        {},
        {name: (recount[name], sums) for name, sums in shown.items() if sums != recount[name]},
    )
    yield Check(
        (
            f"Số dư tài khoản quỹ đúng sao kê ({amount_text(recount['bank_vnd'])})",
            "the fund's account equals the statement's balance",
        ),
        recount["statement_balance_vnd"],
        standing.bank_vnd,
    )
    yield Check(
        ("Đã nhận theo nhóm người cho, khớp đếm lại", "received by class of donor equals the recount"),
        recount["by_class_vnd"],
        _by_class(connection),
    )
    ledger = ledger_totals(connection)
    yield Check(
        ("Cả hai sổ cái cân đối", "both ledgers balance"),
        (0, []),
        (ledger.debit_vnd - ledger.credit_vnd, unbalanced_entries(connection)),
    )


def _by_class(connection: Connection) -> dict[str, int]:
    """Return what came in by class of donor, from the rows of donations themselves."""
    door, office, match = DOOR_DONATIONS.c, OFFICE_DONATIONS.c, MATCHES.c
    shown = {
        kind: set(
            connection.scalars(select(match.target_id).where(match.kind == kind, match.undone_ms.is_(None)))
        )
        for kind in ("door_donation", "office_donation")
    }
    found = Counter[str]()
    rows = connection.execute(
        select(door.entry_id, door.donor_class, door.method, door.amount_vnd).where(
            door.fund == FUND, door.voided_by.is_(None)
        )
    )
    for row in rows:
        if row.method == "cash" or row.entry_id in shown["door_donation"]:
            found[row.donor_class] += row.amount_vnd
    rows = connection.execute(
        select(office.id, office.donor_class, office.channel, office.amount_vnd).where(
            office.fund == FUND, office.reversed_ms.is_(None)
        )
    )
    for row in rows:
        if row.channel == "cash" or row.id in shown["office_donation"]:
            found[row.donor_class] += row.amount_vnd
    return dict(found)


def _cards(connection: Connection, recount: Mapping[str, Any]) -> Iterator[Check]:
    standing = fund_standing(connection, FUND)
    stages = {account: recount["stages"].get(stage, 0) for account, stage in _ACCOUNTS.items()}
    yield Check(
        (
            f"Sổ cái thẻ khớp đếm lại: {stages['cards_handed']} thẻ đã trao / mục tiêu {TARGET_CARDS}",
            "the ledger in cards equals the recount",
        ),
        stages,
        dict(standing.cards),
    )
    found = Counter(
        f"{each.stage.value}|{each.months}|{each.pool}|{each.area_key}"
        for each in allocations_of(connection, FUND)
    )
    yield Check(
        (
            f"Từng thẻ theo bước, thời hạn, nhóm, xã ({len(found)} ô)",
            "cards by stage, term, pool and commune equal the recount",
        ),
        {},
        {
            key: (recount["cards"].get(key, 0), found[key])
            for key in {*found, *recount["cards"]}
            if recount["cards"].get(key, 0) != found[key]
        },
    )


def _planted(
    connection: Connection, plan: FundPlan, year: FundYear, recount: Mapping[str, Any]
) -> Iterator[Check]:
    happened, planted = year.happened, plan.scale.planted
    yield Check(
        (
            f"{year.keeper.done} việc của văn phòng: đều ra như sổ, cả các việc phải bị từ chối",
            "every decision of the office ends as its book says, refused ones too",
        ),
        [],
        year.keeper.surprises,
    )
    handed = HANDOVERS.c
    twice = connection.execute(
        select(handed.allocation_id)
        .where(handed.voided_by.is_(None))
        .group_by(handed.allocation_id)
        .having(func.count() > 1)
    ).all()
    yield Check(
        ("Thẻ trao hai lần: một lần được tính", "cards handed over twice, counted once"),
        (planted, planted),
        (recount["handed_twice"], len(twice)),
    )
    yield Check(
        (
            f"Mọi mục trên {plan.scale.agents} máy đúng như danh sách của đại lý, mỗi mục một lần",
            "the tablets hold what the agents' lists say, everything once and judged",
        ),
        ([], 0, 0, 0, 0),
        tuple(recount[name] for name in ("missing", "unsent", "unjudged", "quarantined", "clashing")),
    )
    yield Check(
        (
            f"{happened.syncs} lần đồng bộ đều xong, có máy {happened.longest_offline_days} ngày mới về",
            "all syncs done, after weeks offline",
        ),
        ([], [], True, 1),
        (
            happened.failed_syncs,
            happened.not_found,
            happened.carried_over > 0,
            happened.replies_lost,
        ),
    )
    bounced = recount["returned_vnd"]
    yield Check(
        (
            "Lệnh bị thu hồi và khoản hoàn trả: chặn phê duyệt mới, không bỏ việc đã duyệt",
            "a bounce blocks new approvals and undoes none; a refund by two persons",
        ),
        (True, True, 3),
        (bounced["bounced"] > 0, bounced["refunded"] > 0, recount["refused"].get("approve money_short")),
    )
    price = card_price_vnd(1, TERM_MONTHS, plan.stretches[0].office[0].day)
    yield Check(
        ("671 triệu mua 3.335 thẻ 3 tháng; 2.500 thẻ giá 502.875.000 đ", "what the published sums buy"),
        (3_335, 502_875_000),
        (671_000_000 // price, TARGET_CARDS * price),
    )


def _public(url: str, recount: Mapping[str, Any]) -> Iterator[Check]:
    """The public page and its data, asked as anybody would."""
    answer = httpx.get(f"{url}/api/v1/public/funds/{FUND}", timeout=60)
    shown = answer.json() if answer.status_code == 200 else {}
    totals = shown.get("totals_vnd", {})
    received, returned = recount["received_vnd"], recount["returned_vnd"]
    expected = {
        "received": sum(received.values()),
        "received_door": received.get("door_cash", 0),
        "received_office": received.get("office_cash", 0),
        "received_transfer": received.get("office_transfer", 0) + received.get("door_transfer", 0),
        "returned_refund": returned["refunded"],
        "returned_bounce": returned["bounced"],
        "spent": recount["spent_vnd"],
        "committed": sum(recount["reserved_vnd"].values()),
        "free": sum(recount["free_vnd"].values()),
        "in_agents_hands": sum(recount["in_hands_vnd"].values()),
    }
    yield Check(
        ("Trang công khai đúng như sổ và đếm lại, từng đồng", "the public page equals the recount, in đồng"),
        expected,
        {name: totals.get(name) for name in expected},
    )
    stages = {account[6:]: recount["stages"].get(stage, 0) for account, stage in _ACCOUNTS.items()}
    yield Check(
        ("Trang công khai: số thẻ theo bước", "the public page equals the recount, in cards"),
        (stages, TARGET_CARDS),
        (shown.get("cards"), shown.get("target_cards")),
    )
    page = httpx.get(f"{url}/quy/{FUND}", timeout=60)
    # The number alone: what stands behind it is a matter of the page.
    wanted = [f"{expected[name]:,}".replace(",", ".") for name in ("received", "spent")]
    yield Check(
        ("Trang quỹ mở không cần đăng nhập", "the fund's page opens without a log-in"),
        (200, []),
        (page.status_code, [text for text in wanted if text not in page.text]),
    )
