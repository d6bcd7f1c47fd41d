"""Reads of figures from outside."""

from __future__ import annotations

from sqlalchemy import Connection, select

from server.outside.models import OutsideFigure
from server.outside.rules import FIGURES, Published


def published_figures(connection: Connection) -> list[Published]:
    """Return every figure, the newest first, then in the order of their list."""
    table = OutsideFigure.__table__.c
    query = select(*(table[name] for name in Published.__dataclass_fields__))
    rows = [Published(*row) for row in connection.execute(query)]
    return sorted(
        rows,
        key=lambda each: (
            -each.day.toordinal(),
            FIGURES.index(each.figure),
            each.area_key or "",
            each.denominator_name or "",
        ),
    )
