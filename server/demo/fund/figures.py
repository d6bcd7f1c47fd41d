"""The published figures of the fund that the demo replays, its days, and how small a test may make it.

Published: a target of 2,500 cards, 171 million from staff, more than 500 million from companies and
donors. The twenty days, the exact sum of the donors, who gave and to whom is made up. The year is 2023,
so that the base salary changes between an approval and its card: 1,490,000 until 30 June, then 1,800,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FUND = 1
TARGET_CARDS, TERM_MONTHS = 2_500, 3
STAFF_VND, DONORS_VND, MORE_THAN_VND = 171_000_000, 503_450_000, 500_000_000
SET_UP_ON, HANDED_OUT_ON = date(2023, 2, 20), date(2023, 2, 27)
OPENS_ON, TWENTIETH_DAY = date(2023, 3, 1), date(2023, 3, 20)
CLOSES_ON, DISTRIBUTED_ON, YEAR_END = date(2023, 12, 31), date(2024, 2, 15), date(2024, 2, 29)
DEARER_FROM = date(2023, 7, 1)
ACCOUNT_BIN, ACCOUNT = "970403", "0112345678"
POOLS = ("returned_workers", "lost_subsidy", "poor", "near_poor", "elderly")


@dataclass(frozen=True, slots=True)
class FundScale:
    """How much is replayed; the money of the twenty days is the same at every scale.

    `donations` are of one agent in the whole year, `nominated` of all agents together, without the
    planted ones; `later` of them wait for the second round of approvals, `last` for the third.
    """

    name: str
    agents: int
    staff: int
    donors: int
    donations: int
    nominated: int
    later: int
    last: int
    planted: int


FUND_SCALES = {
    "full": FundScale("full", 40, 120, 80, 12, 2_500, 60, 40, 8),
    "small": FundScale("small", 6, 20, 16, 6, 60, 10, 6, 2),
}
