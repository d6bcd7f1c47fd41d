"""The office before its fund opens: forty agents more, the fund and its pools, and who is insured already."""

from __future__ import annotations

from server.audit.changes import Actor, Change, run_change
from server.demo.fund.figures import (
    ACCOUNT,
    ACCOUNT_BIN,
    CLOSES_ON,
    FUND,
    OPENS_ON,
    SET_UP_ON,
    TARGET_CARDS,
    TERM_MONTHS,
    YEAR_END,
)
from server.demo.fund.plan import FundPlan
from server.demo.sheets import ids_of, import_rows
from server.devices.actions import create_enrolment_code
from server.funds.setting_up import FundGiven, create_fund, seed_pools
from server.imports.registry import ROLE_WORDS, SHEETS
from server.runtime import Runtime

FUND_ACTOR = Actor("job:demo")
_NETWORK = "HND"
_NAME = "Tặng thẻ BHYT – Chia sẻ yêu thương"


def set_up_fund(runtime: Runtime, plan: FundPlan) -> tuple[str, ...]:
    """Set the fund up, and return the worker ids of its agents by the plan's indexes."""
    codes = [f"CT{agent.index + 1:04}" for agent in plan.agents]
    people = [(code, agent.name, _NETWORK) for code, agent in zip(codes, plan.agents, strict=True)]
    import_rows(runtime, "workers", people)
    role = ROLE_WORDS["agent"][0]
    held = [
        (code, role, commune.partition("@")[0], None, SET_UP_ON, None)
        for code, agent in zip(codes, plan.agents, strict=True)
        for commune in agent.communes
    ]
    import_rows(runtime, "assignments", held)
    _insure(runtime, plan)

    def work(change: Change) -> None:
        seed_pools(change)
        create_fund(
            change,
            FUND,
            FundGiven(
                name=_NAME,
                name_en="Health-insurance cards: a gift shared",
                purpose="Mua thẻ bảo hiểm y tế tặng người có hoàn cảnh khó khăn",
                purpose_en="Health-insurance cards for people in hardship",
                target_cards=TARGET_CARDS,
                months=TERM_MONTHS,
                opens_on=OPENS_ON,
                closes_on=CLOSES_ON,
                bank_bin=ACCOUNT_BIN,
                bank_account=ACCOUNT,
                bank_holder="QUY TANG THE BHYT",
            ),
        )

    run_change(runtime.transactions, FUND_ACTOR, runtime.clock.now_ms(), work)
    ids = ids_of(runtime, codes)
    return tuple(ids[code] for code in codes)


def enrolment_code(runtime: Runtime, worker_id: str) -> str:
    """Return a one-time code for a tablet of this worker."""

    def work(change: Change) -> str:
        return create_enrolment_code(change, worker_id, "demo")

    return run_change(runtime.transactions, FUND_ACTOR, runtime.clock.now_ms(), work)


def _insure(runtime: Runtime, plan: FundPlan) -> None:
    """Let the register say of some who will be named that they are insured for longer than the year."""
    columns = [column.name for column in SHEETS["participants"].columns]
    rows = []
    for person, commune in (
        (one.person, one.area) for one in plan.nominees.values() if one.fate == "insured"
    ):
        line = {
            "insurance_number": person.insurance_number,
            "national_id": person.national_id,
            "full_name": person.full_name,
            "scheme": "health",
            "as_of": SET_UP_ON,
            "valid_to": YEAR_END.replace(year=YEAR_END.year + 1, day=28),
            "area_code": commune.partition("@")[0],
        }
        rows.append([line.get(name) for name in columns])
    import_rows(runtime, "participants", rows)
