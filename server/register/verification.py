"""The register held against its own sealed values, and its order of batches against what they say.

Indexes, and which line takes the place of which, are kept step by step as imports are shown and taken
back; here they are made anew from the sealed values and the places of the batches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from server.quotas.verification import Difference
from server.register.queries import every_line
from server.register.sealed import opened_line
from server.sealing import SealBrokenError, Sealer


def register_differences(connection: Connection, sealer: Sealer) -> list[Difference]:
    """Return every stored value of the register that is not what its lines and batches say."""
    lines = every_line(connection)
    derived_places = _places(lines)
    found = []
    for line in lines:
        label = f"{line['import_id']}:{line['number']}"
        derived = {
            **_indexes(line, sealer),
            "superseded_by": derived_places.get((line["import_id"], line["number"])),
        }
        found += [
            Difference("participant", label, name, line[name], value)
            for name, value in derived.items()
            if line[name] != value
        ]
    return found


def _indexes(line: Mapping[str, Any], sealer: Sealer) -> dict[str, str | None]:
    try:
        values = opened_line(sealer, line["import_id"], line["number"], line["sealed"])
    except SealBrokenError:
        return {"key_number": None}
    return values.indexes(sealer)


def _places(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], str]:
    """Return by which batch each line was superseded: the next one, among those that are shown."""
    by_key: dict[tuple[str, str, date], list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["seq"] is not None:
            by_key[line["key_number"], line["scheme"], line["as_of"]].append(line)
    found = {}
    for same in by_key.values():
        ordered = sorted(same, key=lambda each: each["seq"])
        for line, later in pairwise(ordered):
            found[line["import_id"], line["number"]] = later["import_id"]
    return found
