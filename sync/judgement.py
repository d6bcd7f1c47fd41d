"""What is judged, and what a judgement says: the types between the exchange and the features.

A violated rule is a value with a code, never an exception. Arrivals are tuples, since there is one
for each entry and a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sync.clock import CorrectedTime
from sync.codes import Flag
from sync.entry import Fault


class Arrival(NamedTuple):
    """One entry whose body passed its kind's schema, as the handlers of features see it.

    `installation_id` is the one that captured it first; `worker_id` its agent. `sha256` is of the
    entry's bytes, hex. `body` is what the schema loaded (days are dates). The last four say where
    the agent stood: the fact's area, whether it was assigned there, its team and organisation.
    """

    entry_id: str
    kind: str
    body: dict[str, Any]
    sha256: str
    installation_id: str
    installation_number: int
    worker_id: str
    corrected: CorrectedTime
    business_day: date
    received_ms: int
    area_key: str | None = None
    in_area: bool = True
    team_id: str | None = None
    organisation_key: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The entry takes effect. `merged`: it was an edit that met another one."""

    flags: tuple[Flag, ...] = ()
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The entry is quarantined; the fault says why."""

    fault: Fault


Ruling = Applied | Refused
