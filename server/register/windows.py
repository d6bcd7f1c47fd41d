"""Within how many days after its validity ended an enrolment is a renewal: rows for the seed of a table.

No source says so in general. What is published is the gap of 90 days after which a health card waits
30 days again; that the same gap tells a renewal from a new one, in both schemes, is an assumption.
"""

from __future__ import annotations

from datetime import date
from typing import Any

_SOURCE = "Giả định: như khoảng gián đoạn 90 ngày của thẻ BHYT"

WINDOWS: tuple[dict[str, Any], ...] = tuple(
    {"scheme": scheme, "valid_from": date(2015, 1, 1), "days": 90, "source": _SOURCE, "is_assumption": True}
    for scheme in ("voluntary", "health")
)
