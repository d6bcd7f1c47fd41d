"""The table that a run prints: one row a part and database, and what makes it fail."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

from tests.torture.checking import Found

_HEADS = ("part", "database", "cycles", "faults fired", "acknowledged", "lost", "doubled", "5xx", "seconds")
_SHOWN = 6


@dataclass
class Row:
    """One line of the table. `wanted` names the faults that must have fired at least once."""

    part: str
    database: str
    cycles: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    wanted: frozenset[str] = frozenset()
    acknowledged: int = 0
    undeclared: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    not_run: str | None = None
    seconds: float = 0.0

    def take(self, found: Found) -> None:
        """Take in what the check of a whole stage found; called once a stage."""
        self.acknowledged += found.acknowledged
        self.undeclared += found.undeclared
        self.lost += found.lost
        self.doubled += found.doubled
        self.wrong += found.wrong

    @property
    def failures(self) -> list[str]:
        """Return why this row fails the run; nothing when it does not."""
        if self.not_run is not None:
            is_ci = os.environ.get("CI") == "true"
            return [f"NOT RUN ({self.not_run}), and CI=true"] if is_ci else []
        found = [f"lost: {text}" for text in self.lost] + [f"doubled: {text}" for text in self.doubled]
        found += [f"{self.undeclared} undeclared 5xx"] if self.undeclared else []
        found += [f"wrong: {text}" for text in self.wrong]
        found += [f"did not fire: {name}" for name in sorted(self.wanted - set(+self.fired))]
        found += ["nothing was acknowledged"] if not self.acknowledged else []
        return found

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the row."""
        if self.not_run is not None:
            return (self.part, self.database, "-", f"NOT RUN ({self.not_run})", *"-----")
        fired = ", ".join(f"{name} {number}" for name, number in sorted(self.fired.items())) or "none"
        counts = (self.acknowledged, len(self.lost), len(self.doubled), self.undeclared)
        return (self.part, self.database, str(self.cycles), fired, *map(str, counts), f"{self.seconds:.0f}")


def table(rows: list[Row]) -> str:
    """Return the table as text, the column of faults last so that the others line up."""
    cells = [_HEADS, *(row.cells() for row in rows)]
    order = [0, 1, 2, 4, 5, 6, 7, 8, 3]
    widths = [max(len(line[column]) for line in cells) for column in order]
    lines = [
        "  ".join(
            line[column].ljust(width) if column in {0, 1, 3} else line[column].rjust(width)
            for column, width in zip(order, widths, strict=True)
        ).rstrip()
        for line in cells
    ]
    return "\n".join(lines)


def shown_failures(row: Row) -> list[str]:
    """Return the first few failures of a row, and how many there are."""
    failures = row.failures
    lines = [f"✗ {row.part} on {row.database}: {text}" for text in failures[:_SHOWN]]
    return lines + ([f"✗ … and {len(failures) - _SHOWN} more"] if len(failures) > _SHOWN else [])
