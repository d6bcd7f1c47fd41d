"""What a restore would forget is in the desk journal, and what is in there can be replayed."""

from __future__ import annotations

import ast

from server.audit.office_rows import OFFICE_CHANGED, OFFICE_TABLES
from server.database import Base
from server.recovery.replay import REPLAYS
from tests.architecture.sources import python_sources
from tests.support.offices import import_all_models

# Written by a desk record of a kind of its own, which says more than rows do.
BY_RECORD = {
    "adjustment",
    "import_effect",
    "import_run",
    "installation",
    "installation_counter",
    "ledger_root",
    "participant",
    "register_batch",
    "sheet_code",
    "statement",
    "statement_line",
}
# Made from what devices bring again, or from what is replayed.
FROM_ENTRIES = {
    "clock_mark",
    "contested_entry",
    "credit",
    "donation",
    "duplicate_candidate",
    "edit_conflict",
    "enrolment",
    "entry",
    "fact",
    "feed",
    "field_edit",
    "figure",
    "handover",
    "held_wait",
    "household",
    "incident",
    "journal_hole",
    "ledger_line",
    "money_case",
    "nomination",
    "outcome",
    "payment",
    "person",
    "progress",
    "receipt",
    "receipt_incident",
    "record",
    "remittance",
    "scope_head",
    "staged_record",
    "visit",
    "vssid_install",
}
# Of this database alone: a restored one starts anew with them.
PASSING = {
    "audit_head",
    "audit_row",
    "backup_mark",
    "desk_backlog",
    "desk_record",
    "enrolment_code",
    "import_fault",
    "import_row",
    "job_run",
    "lock_key",
    "login_session",
    "office_state",
    "verified_backup",
}


def kinds_written() -> set[str]:
    """Return the first argument of every `.desk(…)` in the server."""
    found = set()
    for source in python_sources("server"):
        constants = {
            target.id: node.value.value
            for node in source.tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "desk":
                first = node.args[0]
                found.add(first.value if isinstance(first, ast.Constant) else constants[first.id])
    return found


def test_every_kind_of_desk_record_is_replayed_and_no_other():
    """A record that a restore cannot replay would be lost when it is needed."""
    assert kinds_written() | {OFFICE_CHANGED} == set(REPLAYS)


def test_of_every_table_it_is_known_how_a_restore_brings_it_back():
    """A new table has to take its place: mirrored, recorded, made from entries, or of no worth."""
    import_all_models()
    places = (OFFICE_TABLES, BY_RECORD, FROM_ENTRIES, PASSING)
    assert set(Base.metadata.tables) == set().union(*places)
    assert len(Base.metadata.tables) == sum(map(len, places))
