"""What a part of the benchmark is, and how large the jobs are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of the jobs: the goals' own, unless a test or the command line says smaller."""

    records: int = 10_000
    households: int = 2_000
    large_batch: int = 500
    small_batch: int = 50
    postgres_tablets: int = 4
    first_syncs: int = 100
    first_sync_rows: int = 5_000
    usual_syncs: int = 300
    memory_minutes: float = 0.5
    load_tablets: int = 500
    load_entries_per_s: int = 1_200
    load_minutes: float = 1.0
    receipts: int = 2_000
    import_rows: int = 50_000
    import_tablets: int = 20
    import_quiet_s: float = 6.0
    donations: int = 100_000
    page_requests: int = 300


Measures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Part:
    """A job measured whole. `measure` returns figures by name, units last.

    `repeats`: in every round; the others are samples of their own and run once.
    """

    name: str
    settings: str
    measure: Callable[[Scale], Measures]
    repeats: bool = True
