"""The office's own sheets, as a province has them: areas, networks, people, what each is assigned, teams.

They are written as files and imported as anybody's would be, so that the demo shows what the first day of
an office is, and everybody has the code under which the insurer knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from server.audit.changes import Actor
from server.demo.figures import TRAINING_DAY
from server.demo.plan import INSURANCE_OFFICE, NETWORKS, Plan
from server.imports.applying import apply_import
from server.imports.checking import check_sheet, stage_sheet
from server.imports.given_codes import WORKER, GivenCodes
from server.imports.registry import KIND_WORDS, LEVEL_WORDS, ROLE_WORDS, SHEETS
from server.office.actions import NewArea
from server.runtime import Runtime
from server.spreadsheets import Cell, written_xlsx

_ACTOR = Actor("job:demo")
_SINCE = date(2004, 1, 1)


class SheetRefusedError(Exception):
    """A sheet of the demo's own is refused: the demo is wrong."""


def import_office(
    runtime: Runtime, plan: Plan, areas: Sequence[NewArea], staff: Sequence[tuple[str, str, str]]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Import what the office knows of itself; return the ids of agents, officers and staff, in order.

    `staff` are (log-in, name, role) of who works at the office alone.
    """
    agents = {f"NV{agent.index + 1:04}": agent for agent in plan.agents}
    officers = {f"CB{number:04}": name for number, name in enumerate(plan.officers, start=1)}
    office = {f"VP{number:02}": each for number, each in enumerate(staff, start=1)}
    home = INSURANCE_OFFICE[0]
    import_rows(runtime, "areas", [_area_row(area) for area in areas])
    networks = (INSURANCE_OFFICE, *NETWORKS)
    rows = [(code, name, KIND_WORDS[kind][0], None, _SINCE, None) for code, name, kind in networks]
    import_rows(runtime, "organisations", rows)
    people: list[tuple[Cell, ...]] = [(code, name, home) for code, (_, name, _) in office.items()]
    people += [(code, agent.name, agent.network) for code, agent in agents.items()]
    people += [(code, name, home) for code, name in officers.items()]
    import_rows(runtime, "workers", people)
    held: list[tuple[Cell, ...]] = [
        (code, ROLE_WORDS[role][0], None, None, TRAINING_DAY, None) for code, (_, _, role) in office.items()
    ]
    held += [
        (code, ROLE_WORDS["agent"][0], commune.partition("@")[0], None, TRAINING_DAY, None)
        for code, agent in agents.items()
        for commune in agent.communes
    ]
    import_rows(runtime, "assignments", held)
    districts = {agent.district: number for number, agent in enumerate(plan.agents)}
    teams = {
        district: place for place, district in enumerate(sorted(districts, key=districts.__getitem__), 1)
    }
    members: list[tuple[Cell, ...]] = [
        (f"T{teams[agent.district]:02}", f"Tổ {teams[agent.district]}", code, None, TRAINING_DAY, None)
        for code, agent in agents.items()
    ]
    import_rows(runtime, "teams", members)
    ids = ids_of(runtime, [*agents, *officers, *office])
    return (
        tuple(ids[code] for code in agents),
        tuple(ids[code] for code in officers),
        tuple(ids[code] for code in office),
    )


def _area_row(area: NewArea) -> tuple[Cell, ...]:
    level = LEVEL_WORDS[area.level][0]
    return area.code, area.name, level, area.parent_code, area.valid_from, area.valid_to


def import_rows(runtime: Runtime, name: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Write a sheet as a file and import it. Raises SheetRefusedError."""
    sheet = SHEETS[name]
    header = [column.title("vi") for column in sheet.columns]
    content = written_xlsx(sheet.title("vi"), header, rows)
    found = check_sheet(runtime, sheet, content)
    if found.fault_count:
        raise SheetRefusedError(f"{name}: {found.faults[:5]}")
    run = stage_sheet(runtime, _ACTOR, found, f"{name}.xlsx", content)
    done = apply_import(runtime, _ACTOR, run.id)
    if (done.added, done.code) != (len(rows), None):
        raise SheetRefusedError(f"{name}: {done.added} of {len(rows)} rows, {done.code}")


def ids_of(runtime: Runtime, codes: Sequence[str]) -> dict[str, str]:
    """Return the workers' ids by the codes under which the insurer knows them."""
    with runtime.transactions.reading() as connection:
        known = GivenCodes(connection, runtime.sealer, WORKER)
        known.load(codes)
        found: dict[str, Any] = {code: known.target(code) for code in codes}
    return found
