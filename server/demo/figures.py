"""The published figures that the demo reproduces, and how small a test may make it.

Source: accounts of the campaigns of Tiền Giang's insurance office in 2020. Totals and launch days
are theirs. How the totals split over the two days, agents and communes was never published; it is
made up from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_LAUNCH, SECOND_LAUNCH, DRIVE = 1, 2, 3
TRAINING_DAY = date(2020, 5, 20)
LAUNCH_DAYS = {FIRST_LAUNCH: date(2020, 5, 23), SECOND_LAUNCH: date(2020, 7, 11)}
# The account dates the officers' drive to 2020, outside the launch days; its days are made up.
DRIVE_FROM, DRIVE_TO = date(2020, 7, 20), date(2020, 8, 31)
DRIVE_WORK_FROM, DRIVE_WORK_TO = date(2020, 7, 29), date(2020, 8, 9)
EVENING_DAY = date(2020, 9, 1)
QUOTED_PERCENT = "107"
QUOTA_OF_AN_OFFICER = 3
# Published of the year's voluntary insurance, of plans that never were: people, and the ratios to both.
BASELINE_DAY, YEAR_END = date(2019, 12, 31), date(2020, 12, 31)
PUBLISHED_BEFORE, PUBLISHED_INCREASE = 7_262, 11_554
PUBLISHED_PEOPLE, PUBLISHED_PERCENTS = 18_816, {"initial": "113", "supplementary": "107"}
# A made-up launch-day plan is rounded up to a multiple of this; what nobody is asked for is its reserve.
LAUNCH_PLAN_STEP = 50
# Cần Thơ asked each officer for at least so many; the drive is held against it too.
MINIMUM_CODE, MINIMUM_PARTS = "1-2", {"voluntary": 1, "health": 2}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is replayed. `voluntary` and `health` are of the two launch days.

    `planted` is the number of each planted trouble with people, late entries and cash; `waves` how
    many agents are out first, and as many last: a person whom one of the first enrols is enrolled
    again by one of the last. `listed`: how many the register lists as insured before.
    """

    name: str
    districts: int
    agents_a_district: int
    voluntary: tuple[int, int]
    health: tuple[int, int]
    officers: int
    persuaded: int
    planted: int
    waves: int
    listed: int

    @property
    def agents(self) -> int:
        """Return how many agents have a tablet."""
        return self.districts * self.agents_a_district

    @property
    def counted(self) -> int:
        """Return how many enrolments count in the end."""
        return sum(self.voluntary) + sum(self.health) + self.persuaded

    @property
    def officers_quota(self) -> int:
        """Return what is asked of all officers together."""
        return self.officers * QUOTA_OF_AN_OFFICER


SCALES = {
    # 2,122 voluntary and 2,311 health on the launch days, 665 of 204 × 3: 5,098 in all.
    "full": Scale("full", 11, 3, (1004, 1118), (1127, 1184), 204, 665, 20, 8, PUBLISHED_BEFORE),
    # For tests: the same troubles with fewer people.
    "small": Scale("small", 3, 2, (30, 34), (36, 40), 12, 39, 4, 1, 60),
}
