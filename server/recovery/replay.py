"""The desk journal replayed onto a restored database: each record once, in order, as of its moment.

A record that decides about what a tablet has yet to bring back waits in the backlog and is tried
again. Nothing here writes a desk record: what is replayed stands in the journal already.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import Connection, select

from server.audit.changes import Actor, Change, run_change
from server.audit.desk_journal import DeskLine, adopt_desk_lines, desk_lines
from server.audit.office_rows import OFFICE_CHANGED, apply_office_rows, opened_office_rows
from server.devices.actions import recall_fenced, recall_revoked
from server.devices.readmission import certified, raise_counter, readmit_installation
from server.devices.write_offs import recall_write_off
from server.exchange.desk import DeskRefusedError, replay_desk_entry
from server.funds.books import missing_postings, post_missing
from server.funds.office_queries import all_funds
from server.imports.replay import replay_import_step, replay_import_undone
from server.public_ledger.roots import LEDGER_ROOT, recall_root
from server.quotas.acceptance import recall_adjustments, recall_statement
from server.recovery.models import DeskBacklog
from server.runtime import Runtime
from sync.scope import OFFICE

RECOVERY_ACTOR = Actor("job:recovery")
_BACKLOG = DeskBacklog.__table__


class ReplayRefusedError(Exception):
    """A desk record cannot be replayed at all; the restore stops."""


class ReplayWaitsError(Exception):
    """What a record decided about is not there yet; `code` says what is missing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Replay = Callable[[Runtime, Change, DeskLine], None]


def _replay_office_changed(runtime: Runtime, change: Change, line: DeskLine) -> None:
    opened = opened_office_rows(runtime.sealer, line.members)
    apply_office_rows(change.connection, opened["rows"])
    for record_type, record_id, wire_json, scopes in opened["records"]:
        if wire_json is None:
            change.remove_record(record_type, record_id)
        else:
            change.put_record(record_type, record_id, json.loads(wire_json), scopes or [OFFICE])


def _replay_enrolled(runtime: Runtime, change: Change, line: DeskLine) -> None:
    certificate = line.members["certificate"]
    content = certified(runtime.config.office_key.public, certificate)
    if content is None:
        raise ReplayRefusedError(f"desk record {line.seq}: a certificate of another office key")
    if readmit_installation(change, content, certificate) is None:
        raise ReplayRefusedError(f"desk record {line.seq}: installation {content['number']} is another's")


def _replay_fenced(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    recall_fenced(change, line.members["installation"])


def _replay_revoked(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    recall_revoked(change, line.members["installation"], line.members["last_valid_seq"])


def _replay_numbers(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    # A restore begins an epoch of its own; what counts here is which numbers are not to be given.
    raise_counter(change, line.members.get("last_number", 0))


def _replay_written_off(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    recall_write_off(change, line.members["installation"], line.at_ms)


def _replay_entry(runtime: Runtime, change: Change, line: DeskLine) -> None:
    try:
        replay_desk_entry(runtime, change, line.members)
    except DeskRefusedError as error:
        # Most often a tablet has yet to bring back what was decided on; nothing decided is dropped.
        raise ReplayWaitsError(str(error.fault.code)) from error


def _replay_period(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    recall_statement(change, line.members)


def _replay_adjustments(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    recall_adjustments(change, line.members, line.at_ms, line.actor)


def _replay_import_step(runtime: Runtime, change: Change, line: DeskLine) -> None:
    try:
        replay_import_step(runtime, change, line.members)
    except DeskRefusedError as error:
        raise ReplayWaitsError(str(error.fault.code)) from error


def _replay_import_undone(runtime: Runtime, change: Change, line: DeskLine) -> None:
    replay_import_undone(runtime, change, line.members)


def _replay_ledger_root(_runtime: Runtime, change: Change, line: DeskLine) -> None:
    recall_root(change, line.members["statement"], line.at_ms)


def _leave(_runtime: Runtime, _change: Change, _line: DeskLine) -> None:
    """A record that says what happened, and leaves nothing to do."""


# Every kind that a change writes; a kind without a line here stops a restore.
REPLAYS: dict[str, Replay] = {
    OFFICE_CHANGED: _replay_office_changed,
    "installation_enrolled": _replay_enrolled,
    "installation_fenced": _replay_fenced,
    "installation_revoked": _replay_revoked,
    "installation_written_off": _replay_written_off,
    "entry": _replay_entry,
    "period_accepted": _replay_period,
    "adjustments_posted": _replay_adjustments,
    "import_step": _replay_import_step,
    "import_undone": _replay_import_undone,
    "epoch_started": _replay_numbers,
    "numbers_left_out": _replay_numbers,
    "backup_verified": _leave,
    "recovery_closed": _leave,
    "audit_heads": _leave,
    LEDGER_ROOT: _replay_ledger_root,
}


def replay_line(runtime: Runtime, line: DeskLine) -> bool:
    """Take one record of the file into the database, with its effect; return False where it waits.

    One change: the database never knows a record whose effect it lacks, and a replay that was cut off
    goes on where it stopped. Raises ReplayRefusedError.
    """
    replay = REPLAYS.get(line.kind)
    if replay is None:
        raise ReplayRefusedError(f"desk record {line.seq}: a record of a newer version ({line.kind})")

    def work(change: Change) -> None:
        adopt_desk_lines(change.connection, [line])
        replay(runtime, change, line)
        change.audit("desk_record_replayed", str(line.seq), kind=line.kind)

    try:
        run_change(runtime.transactions, RECOVERY_ACTOR, line.at_ms, work)
    except ReplayWaitsError as error:
        code = error.code

        def keep(change: Change) -> None:
            adopt_desk_lines(change.connection, [line])
            change.insert(_BACKLOG, seq=line.seq, code=code)
            change.audit("desk_record_waits", str(line.seq), kind=line.kind, code=code)

        run_change(runtime.transactions, RECOVERY_ACTOR, line.at_ms, keep)
        return False
    return True


def replay_backlog(runtime: Runtime) -> int:
    """Try again what waits; return how many records still do."""
    with runtime.transactions.reading() as connection:
        waiting = backlog(connection)
    left = 0
    for line, _ in waiting:
        replay = REPLAYS[line.kind]

        def work(change: Change, line: DeskLine = line, replay: Replay = replay) -> None:
            replay(runtime, change, line)
            change.delete(_BACKLOG, {"seq": line.seq})
            change.audit("desk_record_replayed", str(line.seq), kind=line.kind)

        try:
            run_change(runtime.transactions, RECOVERY_ACTOR, line.at_ms, work)
        except ReplayWaitsError:
            left += 1
    return left


def post_fund_decisions(runtime: Runtime) -> int:
    """Post what the office decided about funds and the ledger lacks; return how many steps that were.

    Rows come back with the desk journal, postings follow from them; those about what a tablet has yet to
    bring back follow when it has.
    """
    zone = runtime.config.time_zone
    with runtime.transactions.reading() as connection:
        if not any(missing_postings(connection, zone, fund.number) for fund in all_funds(connection)):
            return 0
    now_ms = runtime.clock.now_ms()
    return run_change(runtime.transactions, RECOVERY_ACTOR, now_ms, lambda change: post_missing(change, zone))


def backlog(connection: Connection) -> list[tuple[DeskLine, str]]:
    """Return the records that wait, in order, each with the code of what is missing."""
    rows = connection.execute(select(_BACKLOG.c.seq, _BACKLOG.c.code).order_by(_BACKLOG.c.seq)).all()
    return [(desk_lines(connection, row.seq - 1, 1)[0], row.code) for row in rows]
