"""What must hold of an office after whatever a test did to it, and its figures read for asserting."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import text

from server.exchange.jobs import verify_nightly
from tests.support.small_office import SmallOffice


def rows(office: SmallOffice, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with office.runtime.transactions.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def balance(office: SmallOffice, account: str) -> int:
    """Return debits less credits of an account."""
    found = rows(
        office,
        "SELECT coalesce(sum(debit_vnd) - sum(credit_vnd), 0) FROM ledger_line WHERE account = :account",
        account=account,
    )
    return int(found[0][0])


def cash_of(office: SmallOffice, agent: str = "an") -> int:
    """Return the cash that an agent holds."""
    return balance(office, f"cash_in_hand:{office.agents[agent]}")


def suspense_of(office: SmallOffice, agent: str = "an") -> int:
    """Return what is in suspense for an agent, as a positive number."""
    return -balance(office, f"suspense:{office.agents[agent]}")


def open_cases(office: SmallOffice) -> list[str]:
    """Return the kinds of open money cases."""
    return [kind for (kind,) in rows(office, "SELECT kind FROM money_case WHERE closed_ms IS NULL")]


def outcome_of(office: SmallOffice, entry_id: str) -> tuple[str, str | None] | None:
    """Return the state and the code of an entry by now."""
    found = rows(office, "SELECT state, code FROM outcome WHERE entry_id = :id", id=entry_id)
    return (found[0][0], found[0][1]) if found else None


def incidents(office: SmallOffice) -> Counter[str]:
    """Return how many incidents of each kind there are."""
    return Counter(kind for (kind,) in rows(office, "SELECT kind FROM incident"))


def count(office: SmallOffice, table: str) -> int:
    """Return how many rows a table has."""
    return int(rows(office, f"SELECT count(*) FROM {table}")[0][0])


def state_of(office: SmallOffice, installation: str) -> str:
    """Return the state of an installation."""
    return str(rows(office, "SELECT state FROM installation WHERE id = :id", id=installation)[0][0])


def problems_of(office: SmallOffice) -> list[str]:
    """Return everything that the office holds and should not: the auditor of the tests."""
    found = verify_nightly(office.runtime)
    entries = Counter(
        verdict for (verdict,) in rows(office, "SELECT verdict FROM entry WHERE installation_id <> 'desk'")
    )
    received = sum(acked for (acked,) in rows(office, "SELECT acked_seq FROM installation"))
    # What was declared lost is acknowledged and judged nowhere.
    received -= sum(lost for (lost,) in rows(office, "SELECT floor_seq - from_seq + 1 FROM journal_hole"))
    if received != sum(entries.values()):
        found.append(f"{received} received, {dict(entries)} judged")
    debit, credit = rows(
        office, "SELECT coalesce(sum(debit_vnd), 0), coalesce(sum(credit_vnd), 0) FROM ledger_line"
    )[0]
    if debit != credit:
        found.append(f"debits {debit}, credits {credit}")
    doubled = rows(
        office,
        "SELECT entry_id FROM ledger_line WHERE step IN ('arrival', 'settlement')"
        " GROUP BY entry_id, step HAVING count(*) > 2",
    )
    found += [f"payment {entry_id} posted twice" for (entry_id,) in doubled]
    waiting = rows(
        office,
        "SELECT entry_id FROM held_wait WHERE entry_id IN (SELECT entry_id FROM outcome "
        "WHERE state IN ('applied', 'merged', 'voided'))",
    )
    found += [f"{entry_id} is in effect and still waits" for (entry_id,) in waiting]
    unheld = rows(
        office,
        "SELECT entry_id FROM outcome WHERE state = 'held' "
        "AND entry_id NOT IN (SELECT entry_id FROM held_wait)",
    )
    return found + [f"{entry_id} is held and waits for nothing" for (entry_id,) in unheld]
