"""Scopes: the names of the slices that are replicated together, and who is granted which."""

from __future__ import annotations

OFFICE = "office"


def agent_scope(worker_id: str) -> str:
    """Return the scope of one worker's own outcomes, receipts and figures."""
    return f"agent:{worker_id}"


def area_scope(area_key: str) -> str:
    """Return the scope of the households, persons and visits of one area."""
    return f"area:{area_key}"


def organisation_scope(organisation_key: str) -> str:
    """Return the scope of one organisation's records."""
    return f"organisation:{organisation_key}"
