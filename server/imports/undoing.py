"""An import taken back: everything, in one change, or nothing and the list of rows that stand in the way.

What is taken back is compensated through the choke point: feeds say that records are gone, entries of
the desk become voided, amendments are amended back. Bytes, audit and desk journal keep what was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Date, select

from server.audit.changes import Actor, Change, run_change
from server.audit.staged import staged_ids
from server.database import Base
from server.exchange.desk import enter_all_at_desk
from server.imports.applying import PLAN, ImportRefusedError, drop_waiting_rows
from server.imports.codes import ImportCode
from server.imports.given_codes import forget_codes
from server.imports.household_sheet import AMENDED
from server.imports.kept import UNDONE, Effect, FaultView, Run, effects_of, run_of, sealed_step, set_run
from server.imports.models import SheetCode
from server.imports.references import household_ids_referred_to, referred_to
from server.journals.actions import lock_names, void_entries
from server.office.imported import RowStep, row_now, write_step
from server.people.queries import changed_households, households_by_id
from server.people.records import erase_households
from server.quotas.actions import withdraw_plan
from server.quotas.plans import plan_relied_on
from server.register.actions import withdraw_lines
from server.register.queries import superseded_lines
from server.runtime import Runtime

UNDONE_STEP = "import_undone"
# Shown of the rows that stand in the way; all of them are counted.
OBSTACLES_MOST = 200
# Effects that are no rows of the office to compare: entries take care of one, versions of the other.
_NO_ROWS = frozenset({"household", PLAN})
_CODE = SheetCode.__table__.c


class UndoRefusedError(ImportRefusedError):
    """Something refers to rows of the import, or changed them, since; nothing was taken back."""

    def __init__(self, obstacles: Sequence[FaultView]) -> None:
        super().__init__(ImportCode(obstacles[0].code))
        self.obstacles = obstacles


def undo_import(runtime: Runtime, actor: Actor, import_id: str) -> Run:
    """Take an import back. Raises ImportRefusedError, UndoRefusedError with the rows in the way."""

    def work(change: Change) -> Run:
        lock_names(change.connection, ["imports"])
        run = run_of(change.connection, import_id, is_locked=True)
        if run is None or not run.can_be_undone:
            raise ImportRefusedError(ImportCode.NOT_APPLIED)
        _lock_households(change, import_id)
        effects = effects_of(change.connection, runtime.sealer, import_id)
        obstacles = obstacles_of(change.connection, import_id, effects)
        if obstacles:
            raise UndoRefusedError(obstacles)
        amended = [effect for effect in effects if effect.table == "household"]
        if amended and change.actor.worker_id is None:
            raise ImportRefusedError(ImportCode.IMPORT_NEEDS_WORKER)
        for effect in reversed(effects):
            if effect.table == PLAN:
                withdraw_plan(change, effect.key)
            elif effect.table != "household":
                write_step(change, _step(effect).undone)
        bodies = [
            {"household": effect.key, "base": effect.content["entry"], "set": effect.content["before"]}
            for effect in amended
        ]
        if bodies:
            enter_all_at_desk(runtime, change, AMENDED, bodies)
        take_back_records(change, import_id)
        done = replace(run, state=UNDONE, undone_ms=change.now_ms)
        values = {name: value for name, value in asdict(done).items() if name != "id"}
        set_run(change, import_id, **values)
        change.desk(UNDONE_STEP, run=import_id, sealed=sealed_step(runtime.sealer, {"run": asdict(done)}))
        change.audit("import_undone", import_id, sheet=run.sheet, added=run.added, changed=run.changed)
        return done

    done = run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
    drop_waiting_rows(runtime, actor, import_id)
    return done


def take_back_records(change: Change, import_id: str) -> None:
    """Void the entries that registered what the import added, and take their records away."""
    households = staged_ids(import_id, "household")
    void_entries(change.connection, households, change.now_ms)
    erase_households(change.connection, households)
    change.withdraw(import_id)
    withdraw_lines(change.connection, import_id)
    forget_codes(change, import_id)


def _lock_households(change: Change, import_id: str) -> None:
    """Lock the names under which a push would refer to what is taken away."""
    if change.connection.dialect.name == "sqlite":
        return
    ids = change.connection.scalars(staged_ids(import_id, "household"))
    lock_names(change.connection, (f"entry:{household_id}" for household_id in ids))


def obstacles_of(connection: Connection, import_id: str, effects: Sequence[Effect]) -> list[FaultView]:
    """Return the rows of the sheet that something since refers to or changed, from top to bottom."""
    found: dict[tuple[int, str], FaultView] = {}

    def note(number: int, what: str, code: ImportCode) -> None:
        found.setdefault((number, code), FaultView(number, "", what, str(code)))

    own = _own_keys(effects)
    # Of several rows that wrote the same row of the office, the last says what it has to be by now.
    latest = {(effect.table, effect.key): effect for effect in effects if effect.table not in _NO_ROWS}
    for effect in latest.values():
        now, after = row_now(connection, effect.table, effect.key), _step(effect).after
        if now is None or after is None or any(now[name] != value for name, value in after.items()):
            note(effect.number, effect.table, ImportCode.ROW_CHANGED_SINCE)
    for table, keys in own.items():
        for key in _referred_from_outside(connection, table, keys, own):
            note(keys[key], table, ImportCode.ROW_REFERRED_TO)
    _note_households(connection, import_id, effects, note)
    for effect in effects:
        reason = plan_relied_on(connection, effect.key) if effect.table == PLAN else None
        if reason is not None:
            is_newer = reason == "newer"
            note(
                effect.number, PLAN, ImportCode.ROW_CHANGED_SINCE if is_newer else ImportCode.ROW_REFERRED_TO
            )
    for number in superseded_lines(connection, import_id):
        note(number, "", ImportCode.ROW_CHANGED_SINCE)
    return [found[key] for key in sorted(found)][:OBSTACLES_MOST]


def _own_keys(effects: Sequence[Effect]) -> dict[str, dict[str, int]]:
    """Return the rows that the import added, by table and key, with their numbers in the sheet."""
    own: dict[str, dict[str, int]] = {}
    for effect in effects:
        if effect.table != "household" and effect.content["before"] is None:
            own.setdefault(effect.table, {})[effect.key] = effect.number
    return own


def _referred_from_outside(
    connection: Connection, table: str, keys: Mapping[str, int], own: Mapping[str, Mapping[str, int]]
) -> set[str]:
    """Return which added rows something refers to that the same import did not add."""
    named = referred_to(connection, table, keys)
    if not named:
        return named
    inside = own.get("area" if table == "area" else "organisation", {}) if table in _TREES else {}
    outside = set()
    for key in named:
        children = _children(connection, table, key) if table in _TREES else None
        members = _members(connection, key) if table == "team" else None
        is_inside = (
            children is not None and children <= inside.keys() and not _others(connection, table, key)
        ) or (members is not None and members <= own.get("team_membership", {}).keys())
        if not is_inside:
            outside.add(key)
    return outside


_TREES = frozenset({"area", "organisation"})


def _children(connection: Connection, table: str, key: str) -> set[str]:
    columns = Base.metadata.tables[table].c
    return set(connection.scalars(select(columns.key).where(columns.parent_key == key)))


def _members(connection: Connection, team_id: str) -> set[str]:
    columns = Base.metadata.tables["team_membership"].c
    return set(connection.scalars(select(columns.id).where(columns.team_id == team_id)))


def _others(connection: Connection, table: str, key: str) -> bool:
    """Return whether something else than the tree itself refers to a node."""
    return bool(referred_to(connection, table, [key], but=(table, "parent_key")))


def _note_households(connection: Connection, import_id: str, effects: Sequence[Effect], note: Any) -> None:
    fresh = staged_ids(import_id, "household")
    changed = changed_households(connection, fresh)
    referred = household_ids_referred_to(connection, fresh)
    numbers = _numbers(connection, import_id, changed | referred)
    for household_id, number in numbers.items():
        if household_id in changed:
            note(number, "household", ImportCode.ROW_CHANGED_SINCE)
        else:
            note(number, "household", ImportCode.ROW_REFERRED_TO)
    amended = [effect for effect in effects if effect.table == "household"]
    now = households_by_id(connection, (effect.key for effect in amended))
    for effect in amended:
        known = now.get(effect.key)
        if known is None or known.last_entry != effect.content["entry"]:
            note(effect.number, "household", ImportCode.ROW_CHANGED_SINCE)


def _numbers(connection: Connection, import_id: str, household_ids: set[str]) -> dict[str, int]:
    if not household_ids:
        return {}
    query = select(_CODE.target_id, _CODE.number).where(_CODE.import_id == import_id)
    return {row.target_id: row.number for row in connection.execute(query) if row.target_id in household_ids}


def _step(effect: Effect) -> RowStep:
    before, after = effect.content["before"], effect.content["after"]
    return RowStep(effect.table, effect.key, _loaded(effect.table, before), _loaded(effect.table, after))


def _loaded(table: str, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a row whose days were kept as texts."""
    if row is None:
        return None
    columns = Base.metadata.tables[table].c
    return {
        name: date.fromisoformat(value)
        if isinstance(columns[name].type, Date) and isinstance(value, str)
        else value
        for name, value in row.items()
    }
