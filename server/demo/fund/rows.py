"""The tables of funds as the demo reads them to check: by name, since a module's models are its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, column, table


def rows_named(name: str, *columns: str) -> FromClause:
    """Return a table of the database with these columns."""
    return table(name, *(column(each) for each in columns))


LINES: Any = rows_named("bank_line", "id", "fund", "reference")
MATCHES: Any = rows_named("bank_match", "id", "line_id", "kind", "target_id", "undone_ms")
DOOR_DONATIONS: Any = rows_named(
    "donation", "entry_id", "fund", "donor_class", "method", "amount_vnd", "voided_by"
)
OFFICE_DONATIONS: Any = rows_named(
    "office_donation", "id", "fund", "donor_class", "channel", "amount_vnd", "reversed_ms"
)
HANDOVERS: Any = rows_named("handover", "allocation_id", "voided_by")
