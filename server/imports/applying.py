"""A checked sheet becomes the office's: all of it, or nothing that anybody could see.

Sheets of the office itself are one change. Households are many, so that what is new of them is written
in chunks whose records no feed lists; a last change writes what is changed and brings all of it into
sight with one statement. Lines of the participant register are written in chunks too, corrections
among them, and count once the last change shows their batch. Killed between two chunks, an import goes
on where it stopped (docs/decisions/0021, 0022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from server.audit.changes import Actor, Change, run_change
from server.bulk_rows import chunks, insert_rows
from server.exchange.desk import (
    DeskRefusedError,
    PreparedEntries,
    enter_all_at_desk,
    enter_prepared,
    prepare_from_sheet,
)
from server.imports.codes import ImportCode
from server.imports.given_codes import code_rows, put_codes
from server.imports.household_sheet import AMENDED, REGISTERED
from server.imports.kept import (
    APPLIED,
    APPLYING,
    CHECKED,
    FAILED,
    Effect,
    Run,
    drop_rows,
    effect_rows,
    is_any_applying,
    rows_after,
    run_of,
    sealed_step,
    set_run,
    step_effect,
)
from server.imports.models import ImportEffect
from server.imports.pace import Pace
from server.imports.register_sheet import lines_to_keep
from server.imports.registry import SHEETS
from server.imports.sheet import ADD, CHANGE, Decided, NewCode, Row, Sheet, WholeRules
from server.journals.actions import lock_names
from server.office.imported import write_step
from server.people.queries import HouseholdState, households_by_id
from server.quotas.actions import PlanInvalidError
from server.register.actions import put_lines, show_batch
from server.runtime import Runtime

# New households a change at most; where it holds the lock for long, the next one has fewer.
CHUNK_ROWS = 500
_DROPPED_ROWS = 5_000
STEP = "import_step"
# What an effect on a version of a plan is called; it is taken back as a whole.
PLAN = "plan"


Lines = list[dict[str, Any]]


class ImportRefusedError(Exception):
    """An import cannot be applied or undone like this; the code says why. Nothing changed."""

    def __init__(self, code: ImportCode) -> None:
        super().__init__(str(code))
        self.code = code


class _RefusedRowError(Exception):
    """A row is no longer what the check found; the import stops."""

    def __init__(self, code: ImportCode) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(slots=True)
class _Written:
    """What one change of an import did, for its desk record and for undoing it."""

    codes: list[tuple[int, NewCode]]
    effects: list[Effect]
    entries: list[str]
    lines: Lines = field(default_factory=list)
    published: bool = False


@dataclass(frozen=True, slots=True)
class _Draft:
    """The next new rows of an import: what they become, and the run before and after them."""

    run: Run
    done: Run
    rows: list[Row]
    decided: list[Decided]


@dataclass(frozen=True, slots=True)
class _StepRecord:
    """What one change of an import keeps, here and (`sealed`) for a restore."""

    run: Run
    codes: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    sealed: str


def apply_import(
    runtime: Runtime, actor: Actor, import_id: str, on_change: Callable[[Run], None] = lambda _run: None
) -> Run:
    """Apply a checked import to its end and return it. Raises ImportRefusedError.

    A row that is refused meanwhile leaves the import failed, with nothing of it in sight.
    """
    with runtime.transactions.reading() as connection:
        run = run_of(connection, import_id)
    if run is None or run.state != CHECKED:
        raise ImportRefusedError(ImportCode.IMPORT_NOT_CHECKED)
    if run.faults:
        raise ImportRefusedError(ImportCode.IMPORT_HAS_ERRORS)
    sheet = SHEETS[run.sheet]
    if not sheet.is_chunked:
        return _apply_whole(runtime, actor, sheet, run)
    if sheet.needs_worker and actor.worker_id is None:
        raise ImportRefusedError(ImportCode.IMPORT_NEEDS_WORKER)

    def begin(change: Change) -> None:
        _require_turn(change, run)
        set_run(change, run.id, state=APPLYING, actor=actor.chain, worker_id=actor.worker_id)
        change.audit("import_begun", run.id, sheet=run.sheet)

    run_change(runtime.transactions, actor, runtime.clock.now_ms(), begin)
    return continue_import(runtime, replace(run, state=APPLYING), actor, on_change)


def continue_import(
    runtime: Runtime, run: Run, actor: Actor, on_change: Callable[[Run], None] = lambda _run: None
) -> Run:
    """Go on with an import that is being applied, from wherever it stands, to its end."""
    pace = Pace(CHUNK_ROWS)
    try:
        while (draft := _drafted(runtime, run.id, pace.rows)) is not None:
            run = _apply_chunk(runtime, actor, draft, pace)
            on_change(run)
        return _come_into_sight(runtime, actor, run.id)
    except (_RefusedRowError, DeskRefusedError) as error:
        code = error.code if isinstance(error, _RefusedRowError) else ImportCode.ENTRY_REFUSED
        return _fail(runtime, actor, run.id, code)


def _require_turn(change: Change, run: Run) -> None:
    """Lock the import, which still has to wait for this, while no other one is under way."""
    lock_names(change.connection, ["imports"])
    found = run_of(change.connection, run.id, is_locked=True)
    if found is None or found.state != CHECKED:
        raise ImportRefusedError(ImportCode.IMPORT_NOT_CHECKED)
    if is_any_applying(change.connection):
        raise ImportRefusedError(ImportCode.IMPORT_UNDER_WAY)


def _apply_whole(runtime: Runtime, actor: Actor, sheet: Sheet, run: Run) -> Run:
    with runtime.transactions.reading() as connection:
        rows = rows_after(connection, runtime.sealer, run.id, (ADD, CHANGE), 0, run.rows)

    def work(change: Change) -> Run:
        _require_turn(change, run)
        written = _Written([], [], [])
        rules = sheet.rules(change.connection, runtime, change.now_ms)
        rules.prepare(rows)
        fates = {ADD: 0, CHANGE: 0}
        for row in sheet.order(rows):
            decided = rules.decide(row)
            if decided.faults:
                raise ImportRefusedError(ImportCode.OFFICE_CHANGED_SINCE)
            fates[decided.fate] = fates.get(decided.fate, 0) + 1
            for step in decided.steps:
                write_step(change, step)
                written.effects.append(step_effect(row.number, step))
            written.codes += [(row.number, given) for given in decided.codes]
        if (fates[ADD], fates[CHANGE]) != (run.added, run.changed):
            raise ImportRefusedError(ImportCode.OFFICE_CHANGED_SINCE)
        if isinstance(rules, WholeRules):
            written.effects += _adopted(change, runtime, rules)
        done = replace(
            run, state=APPLIED, applied_ms=change.now_ms, actor=actor.chain, worker_id=actor.worker_id
        )
        _record(runtime, change, done, written)
        change.audit("import_applied", run.id, sheet=run.sheet, added=run.added, changed=run.changed)
        return done

    done = run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
    drop_waiting_rows(runtime, actor, run.id)
    return done


def _adopted(change: Change, runtime: Runtime, rules: WholeRules) -> list[Effect]:
    """Adopt the plans that the rows make up; one that cannot be adopted by now changes nothing."""
    try:
        adopted = list(rules.adopt(change, runtime))
    except PlanInvalidError as error:
        raise ImportRefusedError(ImportCode.OFFICE_CHANGED_SINCE) from error
    return [Effect(number, PLAN, plan_id, {"before": None, "after": {}}) for number, plan_id in adopted]


def _drafted(runtime: Runtime, import_id: str, most: int) -> _Draft | None:
    """Return the next new rows of an import, decided once more; None where there are no more.

    Outside the lock: codes and lines come by imports alone, which take turns, and areas are judged once more.
    """
    with runtime.transactions.reading() as connection:
        run = run_of(connection, import_id)
        if run is None or run.state != APPLYING:
            return None
        sheet = SHEETS[run.sheet]
        fates = (ADD, CHANGE) if sheet.is_register else (ADD,)
        rows = rows_after(connection, runtime.sealer, import_id, fates, run.next_number, most)
        decided = _decided(runtime, connection, sheet, rows, fates)
    return _Draft(run, replace(run, next_number=rows[-1].number), rows, decided) if rows else None


def _spelled(
    runtime: Runtime, connection: Connection, actor: Actor, draft: _Draft, now_ms: int
) -> tuple[PreparedEntries | Lines, _StepRecord]:
    """Return what a change writes of a draft: lines of a batch, or households as entries of the desk.

    These are sealed for their place behind the desk's last entry.
    """
    if SHEETS[draft.run.sheet].is_register:
        found = [
            (row.number, each.line)
            for row, each in zip(draft.rows, draft.decided, strict=True)
            if each.line is not None
        ]
        lines = lines_to_keep(runtime.sealer, draft.run.id, found)
        return lines, _step_record(runtime, draft.done, _Written([], [], [], lines))
    assert actor.worker_id is not None, "somebody decided this"
    bodies = [each.entry[1] for each in draft.decided if each.entry is not None]
    entries = prepare_from_sheet(runtime, connection, actor.worker_id, now_ms, REGISTERED, bodies)
    codes = [
        (row.number, replace(each.codes[0], target_id=entry_id))
        for row, each, entry_id in zip(draft.rows, draft.decided, entries.raws, strict=True)
    ]
    written = _Written(codes, [], list(entries.raws.values()))
    return entries, _step_record(runtime, draft.done, written)


def _apply_chunk(runtime: Runtime, actor: Actor, draft: _Draft, pace: Pace) -> Run:
    """Write rows that nothing shows yet; return the run. Whatever can be is done before the lock is held."""
    now_ms, import_id = runtime.clock.now_ms(), draft.run.id
    with runtime.transactions.reading() as connection:
        prepared = _spelled(runtime, connection, actor, draft, now_ms)
    if runtime.transactions.engine.dialect.name == "sqlite":
        pace.wait()

    def work(change: Change) -> Run:
        pace.begin()
        found = run_of(change.connection, import_id, is_locked=True)
        if found != draft.run:
            # Another process goes on with the same import: its chunk stands, ours is not needed.
            change.audit("import_chunk_left", import_id)
            return found or draft.run
        rows, record = prepared
        if isinstance(rows, PreparedEntries):
            change.stage(import_id)
            if not enter_prepared(runtime, change, rows):
                # Somebody decided something at the desk meanwhile: the places behind it are others.
                rows, record = _spelled(runtime, change.connection, actor, draft, now_ms)
                assert isinstance(rows, PreparedEntries), "a sheet of the same kind"
                enter_prepared(runtime, change, rows)
        else:
            put_lines(change, rows)
        _write_record(change, record)
        change.audit("import_chunk", import_id, rows=len(draft.rows))
        return draft.done

    done = run_change(runtime.transactions, actor, now_ms, work)
    pace.end(len(draft.rows))
    return done


def _decided(
    runtime: Runtime, connection: Connection, sheet: Sheet, rows: Sequence[Row], fates: Sequence[str]
) -> list[Decided]:
    """Decide about waiting rows once more. Raises _RefusedRowError where one has become another."""
    rules = sheet.rules(connection, runtime, runtime.clock.now_ms())
    found = []
    for part in chunks(rows, CHUNK_ROWS):
        rules.prepare(part)
        found += [rules.decide(row) for row in part]
    if any(each.faults or each.fate not in fates for each in found):
        raise _RefusedRowError(ImportCode.OFFICE_CHANGED_SINCE)
    return found


def _come_into_sight(runtime: Runtime, actor: Actor, import_id: str) -> Run:
    """Write what the sheet changes, and let everything new be seen: the flag, in one change."""
    with runtime.transactions.reading() as connection:
        run = run_of(connection, import_id)
        assert run is not None
        is_register = SHEETS[run.sheet].is_register
        fates = () if is_register else (CHANGE,)
        rows = rows_after(connection, runtime.sealer, import_id, fates, 0, run.rows)

    def work(change: Change) -> Run:
        found = run_of(change.connection, import_id, is_locked=True)
        if found is None or found.state != APPLYING:
            change.audit("import_chunk_left", import_id)
            return found or run
        if is_register:
            show_batch(change, import_id)
        decided = _decided(runtime, change.connection, SHEETS[run.sheet], rows, (CHANGE,))
        bodies = [each.entry[1] for each in decided if each.entry is not None]
        before = households_by_id(change.connection, (body["household"] for body in bodies))
        effects = []
        if bodies:
            verdicts = enter_all_at_desk(runtime, change, AMENDED, bodies)
            for row, body, verdict in zip(rows, bodies, verdicts, strict=True):
                old = _old_values(runtime, before[body["household"]], body["set"])
                content = {"entry": verdict.entry_id, "before": old}
                effects.append(Effect(row.number, "household", body["household"], content))
        change.publish(import_id)
        done = replace(found, state=APPLIED, applied_ms=change.now_ms)
        _record(runtime, change, done, _Written([], effects, [], published=True))
        change.audit("import_applied", import_id, sheet=run.sheet, added=run.added, changed=run.changed)
        return done

    done = run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
    drop_waiting_rows(runtime, actor, import_id)
    return done


def _old_values(runtime: Runtime, known: HouseholdState, fresh: dict[str, Any]) -> dict[str, Any]:
    """Return what an amendment is about to take the place of."""
    names = {"area": "area_key"}
    old = {name: getattr(known, names.get(name, name)) for name in fresh if name != "phone"}
    if "phone" in fresh:
        old["phone"] = runtime.sealer.open_optional(known.numbers["phone"][0], "household.phone", known.id)
    return old


def _record(runtime: Runtime, change: Change, run: Run, written: _Written) -> None:
    _write_record(change, _step_record(runtime, run, written))


def _step_record(runtime: Runtime, run: Run, written: _Written) -> _StepRecord:
    codes = code_rows(runtime.sealer, run.id, written.codes)
    effects = effect_rows(runtime.sealer, run.id, written.effects)
    content = {
        "run": asdict(run),
        "codes": codes,
        "effects": effects,
        "entries": written.entries,
        "lines": written.lines,
        "published": written.published,
    }
    return _StepRecord(run, codes, effects, sealed_step(runtime.sealer, content))


def _write_record(change: Change, record: _StepRecord) -> None:
    put_codes(change.connection, record.codes)
    insert_rows(change.connection, ImportEffect.__table__, record.effects)
    run = record.run
    set_run(change, run.id, **{name: value for name, value in asdict(run).items() if name != "id"})
    change.desk(STEP, run=run.id, worker=run.worker_id, sealed=record.sealed)


def _fail(runtime: Runtime, actor: Actor, import_id: str, code: ImportCode) -> Run:
    def work(change: Change) -> Run:
        found = run_of(change.connection, import_id, is_locked=True)
        assert found is not None
        failed = replace(found, state=FAILED, code=str(code))
        _record(runtime, change, failed, _Written([], [], []))
        change.audit("import_failed", import_id, code=str(code))
        return failed

    return run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)


def drop_waiting_rows(runtime: Runtime, actor: Actor, import_id: str) -> None:
    """Drop what waited for an import, a few thousand rows a change."""
    dropped = _DROPPED_ROWS
    while dropped == _DROPPED_ROWS:

        def work(change: Change) -> int:
            found = drop_rows(change, import_id, _DROPPED_ROWS)
            change.audit("waiting_rows_dropped", import_id, rows=found)
            return found

        dropped = run_change(runtime.transactions, actor, runtime.clock.now_ms(), work)
