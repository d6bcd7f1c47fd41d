"""What two offices hold, side by side: nothing of the live one may be missing in the drilled one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

# What is compared: a name, and a query of (key, value) rows. Verdicts, flags and arrival times may
# differ after a restore; what has become of everything may not.
_COMPARED = {
    "entry": "SELECT entry_id, state || ' ' || sha256 FROM outcome",
    "ledger account": "SELECT account, sum(debit_vnd) - sum(credit_vnd) FROM ledger_line GROUP BY account",
    "receipt": "SELECT installation || '-' || counter || '-' || content_digest, state FROM receipt",
    "credit": "SELECT fact_id || ' ' || indicator, state || ' ' || value FROM credit",
    "installation": "SELECT id, number || ' ' || worker_id || ' ' || state FROM installation",
    "journal": (
        "SELECT id, acked_seq || ' ' || head_digest FROM installation WHERE state IN ('active', 'revoked')"
    ),
    "office setting": (
        "SELECT record_type || ' ' || record_id, wire_json FROM record "
        "WHERE record_type IN ('area', 'campaign', 'indicator', 'organisation', 'worker')"
    ),
    "household": "SELECT record_id, wire_json FROM record WHERE record_type = 'household'",
    "person": "SELECT record_id, wire_json FROM record WHERE record_type = 'person'",
    "account": "SELECT id, worker_id || ' ' || is_disabled FROM account",
    "assignment": "SELECT id, worker_id || ' ' || role || ' ' || from_ms FROM assignment",
    "quota": (
        "SELECT plan_id || ' ' || indicator || ' ' || holder_kind || ' ' || holder || ' ' || from_day, "
        "amount FROM quota"
    ),
    "pair called two": (
        "SELECT record_type || ' ' || first_id || ' ' || other_id, decided_by || ' ' || decided_ms "
        "FROM distinct_pair"
    ),
    "number given": "SELECT id, last_number FROM installation_counter",
}


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that is compared, by name, then by key."""

    rows: Mapping[str, Mapping[str, Any]]


def holdings(connection: Connection) -> Holdings:
    """Read what an office holds, in the caller's snapshot."""
    return Holdings(
        {
            name: {str(key): value for key, value in connection.execute(text(statement))}
            for name, statement in _COMPARED.items()
        }
    )


def compared(live: Holdings, drilled: Holdings) -> list[str]:
    """Return a line a difference; keys are ids, never values of people."""
    found = []
    for name, rows in live.rows.items():
        others = drilled.rows[name]
        for key in sorted(rows.keys() | others.keys()):
            if key not in others:
                found.append(f"{name} {key} is lost")
            elif key not in rows:
                found.append(f"{name} {key} is new")
            elif rows[key] != others[key]:
                found.append(f"{name} {key} differs")
    return found
