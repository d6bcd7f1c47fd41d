"""The lists that the demo's office gets from elsewhere: who was insured before, and what was published.

That 7,262 people were insured at the end of 2019, and every figure with a source, is published. Who
they are, who of them renews at a door, and who lapsed why, is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import Any

from server.demo.figures import (
    BASELINE_DAY,
    LAUNCH_DAYS,
    PUBLISHED_BEFORE,
    PUBLISHED_INCREASE,
    PUBLISHED_PEOPLE,
    PUBLISHED_PERCENTS,
    YEAR_END,
)
from server.demo.made_up import MadeUpPerson, MakingUp
from server.demo.plan import Plan
from server.demo.sheets import import_rows
from server.imports.registry import SHEETS
from server.runtime import Runtime

BASELINE = "2019"
_ACCOUNT = "Bài báo tổng kết năm 2020 của BHXH tỉnh Tiền Giang"
_MADE_UP = "Danh sách hư cấu của buổi diễn tập"
_REASONS = ("not_renewed", "not_renewed", "cannot_afford", "moved", "other_scheme", None)
# Of those who were insured before: how many in a hundred lapse, and how many of the others say so.
_LAPSED_PERCENT = 8
_Rows = Sequence[dict[str, Any]]


def import_lists(runtime: Runtime, plan: Plan) -> None:
    """Import the register with its baseline, and the published figures. Raises SheetRefusedError."""
    lines = list(_register(plan))
    _import(runtime, "participants", lines)
    baseline = {"scheme": "voluntary", "code": BASELINE, "name": "Cuối năm 2019", "as_of": BASELINE_DAY}
    persons = len({line["insurance_number"] for line in lines})
    source = _ACCOUNT if persons == PUBLISHED_BEFORE else _MADE_UP
    _import(runtime, "baselines", [baseline | {"persons": persons, "source": source}])
    _import(runtime, "outside_figures", list(published_rows()))


def published_rows() -> Iterator[dict[str, Any]]:
    """Yield the published figures of the year, as their sheet has them; accounts are dated by their year."""
    people = "Người tham gia BHXH tự nguyện"
    plans = {"initial": "Kế hoạch ban đầu", "supplementary": "Kế hoạch sau bổ sung"}
    yield _figure("voluntary_participants", BASELINE_DAY, PUBLISHED_BEFORE)
    for kind, quoted in PUBLISHED_PERCENTS.items():
        yield _figure("voluntary_participants", YEAR_END, PUBLISHED_PEOPLE, plans[kind], quoted)
    increase = _figure("voluntary_increase", YEAR_END, PUBLISHED_INCREASE, people, "159")
    yield increase | {"denominator": PUBLISHED_BEFORE, "denominator_day": BASELINE_DAY}
    # Both are called coverage, and cannot be of one number of people: what the second is of is not told.
    yield _figure("insurance_coverage", YEAR_END, 281_909, "Lực lượng lao động", "29,9")
    yield _figure("insurance_coverage", YEAR_END, 184_829, "Mẫu số thứ hai của bài báo", "26,9")
    employers = _figure("e_transaction_employers", YEAR_END, 3_284, "Đơn vị sử dụng lao động", None)
    yield employers | {"denominator": 3_691}
    yield _figure("satisfaction", YEAR_END, None, None, "98")


def _figure(
    figure: str, day: date, value: int | None, over: str | None = None, quoted: str | None = None
) -> dict[str, Any]:
    return {
        "figure": figure,
        "day": day,
        "value": value,
        "denominator_name": over,
        "denominator_day": None if over is None else day,
        "denominator": None,
        "quoted_percent": quoted,
        "source": _ACCOUNT,
        "source_day": YEAR_END,
    }


def _register(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the lines: those who renew at a door as planned, and others up to the scale's number."""
    # Another seed than the plan's, or the same people would be made up again.
    random = Random(f"register {plan.seed}")  # noqa: S311  # repeatable, and no secret
    people = MakingUp(random)
    communes = sorted({commune for agent in plan.agents for commune in agent.communes})
    renewing = list(_renewing(plan))[: plan.scale.listed // 4]
    for number in range(plan.scale.listed):
        if number < len(renewing):
            person, area, last = *renewing[number], date(2020, 4, 30)
        else:
            person, area = people.person(), random.choice(communes)
            last = date(2020, 3, 31) if random.randrange(100) < _LAPSED_PERCENT else date(2020, 12, 31)
        numbers = _numbers(person, number)
        line = {
            **numbers,
            "full_name": person.full_name,
            "birth_date": date.fromisoformat(person.birth_date),
            "scheme": "voluntary",
            "as_of": BASELINE_DAY,
            "valid_to": last,
            "area_code": area.partition("@")[0],
            "lapse_reason": None,
        }
        yield line
        reason = random.choice(_REASONS) if number >= len(renewing) and last.month == 3 else None
        if reason is not None:
            yield line | {"as_of": date(2020, 4, 30), "lapse_reason": reason}


def _renewing(plan: Plan) -> Iterator[tuple[MadeUpPerson, str]]:
    """Yield those who say that they renew voluntary insurance on a launch day, each with the commune."""
    known: set[str] = set()
    for (campaign, _agent), visits in sorted(plan.visits.items()):
        for visit in visits if campaign in LAUNCH_DAYS else ():
            for person, enrolment in zip(visit.people, visit.enrolments, strict=False):
                is_renewal = (enrolment["scheme"], enrolment["status"]) == ("voluntary", "renewal")
                # Some are enrolled twice on purpose.
                if is_renewal and known.isdisjoint(person.numbers):
                    known.update(person.numbers)
                    yield person, visit.area


def _numbers(person: MadeUpPerson, number: int) -> dict[str, str]:
    """Return both numbers of a line; one that nobody has at hand is of a kind that nobody else has."""
    return {
        "insurance_number": person.insurance_number or f"9{number:09d}",
        "national_id": person.national_id or f"9{number:011d}",
    }


def _import(runtime: Runtime, name: str, rows: _Rows) -> None:
    columns = SHEETS[name].columns
    import_rows(runtime, name, [[row.get(column.name) for column in columns] for row in rows])
