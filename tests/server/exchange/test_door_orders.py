"""Whatever order tablets bring what doors did in, a fund's books and its handovers come to the same."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from server.app import create_app
from server.config import read_config
from tests.support.clocks import FakeClock
from tests.support.fund_doors import (
    FundDoors,
    a_consent,
    a_donation,
    a_handover,
    a_nomination,
    a_remittance,
    fund_doors,
)
from tests.support.office_checks import problems_of, rows
from tests.support.offices import office_environment
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import SmallOffice, small_office

_COLUMNS = {
    "donation": "entry_id, fund, bucket, method, amount_vnd, upper_ms, voided_by IS NULL",
    "remittance": "entry_id, fund, amount_vnd, upper_ms, voided_by IS NULL",
    "nomination": "entry_id, person_id, fund, pool, upper_ms, voided_by IS NULL",
    "handover": "entry_id, allocation_id, upper_ms, voided_by IS NULL",
}


MOST_TABLETS, HOUR_MS = 3, 3_600_000
DONE = some.lists(
    some.sampled_from(("donation", "transfer", "remittance", "nomination", "handover", "void")),
    min_size=1,
    max_size=5,
)


def capture(tablet: RawTablet, kinds: list[str], template: Template) -> None:
    """Capture what a tablet does; a void is of the last thing before it."""
    person, allocation = template.person, template.allocation
    bodies = {
        "donation": ("donation_received", a_donation(restriction={"kind": "pool", "key": "elderly"})),
        "transfer": ("donation_received", a_donation(method="transfer", amount_vnd=70_000)),
        "remittance": ("cash_remitted", a_remittance()),
        "nomination": ("beneficiary_nominated", a_nomination(person, template.consent)),
        "handover": ("card_handed_over", a_handover(allocation, person)),
    }
    last = None
    for kind in kinds:
        tablet.office.clock.advance(seconds=60)
        if kind == "void":
            if last is not None:
                tablet.append("entry_voided", {"target": last, "reason": "Nhầm"})
            last = None
        else:
            last = tablet.append(*bodies[kind])


@dataclass(frozen=True)
class Template:
    """An office's database with a card issued, and the tablets that will do something at doors."""

    path: Path
    now_ms: int
    agents: dict[str, str]
    tablets: list[RawTablet]
    person: str
    consent: str
    allocation: str


def a_template(path: Path) -> Template:
    """Set an office up in `path`."""
    with small_office(f"sqlite:///{path}") as office:
        doors, first = fund_doors(office), a_tablet(office)
        person, allocation = doors.issued_card(first)
        consent = first.append("consent_recorded", a_consent(person))
        first.sync()
        tablets = [a_tablet(office) for _ in range(MOST_TABLETS)]
        office.runtime.transactions.engine.dispose()
        now_ms = office.clock.now_ms()
        return Template(path, now_ms, office.agents, tablets, person, consent, allocation)


def what_comes_of(template: Template, path: Path, tablets: list[RawTablet], order: list[int]) -> Any:
    """Let tablets sync in an order, two entries at a time, and return what their fund comes to."""
    with closing(connect(template.path)) as source, closing(connect(path)) as copy:
        source.backup(copy)
    clock = FakeClock(template.now_ms + HOUR_MS)
    app = create_app(read_config(office_environment(f"sqlite:///{path}")), clock)
    with ExitStack() as stack:
        office = SmallOffice(app, clock, path.parent, stack, agents=template.agents)
        sent = [tablet.copied() for tablet in tablets]
        for tablet in sent:
            tablet.office = office
        for number in [*order, *(number for number in order for _ in range(4))]:
            sent[number].sync(most=2)
        assert all(tablet.acked == len(tablet.journal) for tablet in sent)
        doors = FundDoors(office)
        assert doors.problems() == []
        assert problems_of(office) == []
        handed = rows(
            office,
            "SELECT entry_id FROM ledger_line WHERE account = 'cards_handed' GROUP BY entry_id "
            "HAVING sum(debit_cards - credit_cards) <> 0",
        )
        found = {
            table: sorted(rows(office, f"SELECT {columns} FROM {table}"))
            for table, columns in _COLUMNS.items()
        }
        office.runtime.transactions.engine.dispose()
        return doors.standing, handed, found


@pytest.fixture(scope="module")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The office that every example begins with."""
    path = tmp_path_factory.mktemp("doors") / "office.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return a_template(path)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kinds=some.lists(DONE, min_size=2, max_size=MOST_TABLETS), data=some.data())
def test_any_order_of_arrival_gives_the_same_books(
    template: Template, tmp_path_factory: pytest.TempPathFactory, kinds: list[list[str]], data: Any
) -> None:
    """[K11] The lowest (upper end, id) stands, in any order of arrival."""
    folder = tmp_path_factory.mktemp("orders")
    tablets = [tablet.copied() for tablet, _ in zip(template.tablets, kinds, strict=False)]
    for tablet, done in zip(tablets, kinds, strict=True):
        tablet.office.clock.set(template.now_ms)
        capture(tablet, done, template)
    numbers = [*range(len(tablets))] * 2
    orders = [data.draw(some.permutations(numbers)) for _ in range(2)]
    found = [
        what_comes_of(template, folder / f"order{number}.sqlite3", tablets, order)
        for number, order in enumerate(orders)
    ]
    assert found[0] == found[1]
