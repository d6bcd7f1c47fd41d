"""What refers to what an import brought: where to look before any of it is taken back.

Tables of every feature, by name: nothing below the imports may know what they do, and a reference
that nobody looks at would leave a fact about somebody who is gone. tests/server/imports holds this
list against the tables that there are.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Select, select

from server.bulk_rows import chunks
from server.database import Base

# {what: (table, column) of everything that may name it}. A promoter stands as `<kind>:<id>`, what a fund's
# money is restricted to as `area:<key>`.
REFERENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "area": (
        ("area", "parent_key"),
        ("assignment", "area_key"),
        ("campaign_area", "area_key"),
        ("household", "area_key"),
        ("person", "area_key"),
        ("visit", "area_key"),
        ("vssid_install", "area_key"),
        ("enrolment", "area_key"),
        ("fact", "area_key"),
        ("credit", "area_key"),
        ("quota", "holder"),
        ("participant", "area_key"),
        ("outside_figure", "area_key"),
        ("donation", "area_key"),
        ("nomination", "area_key"),
        ("allocation", "area_key"),
        ("donation", "bucket"),
        ("office_donation", "bucket"),
        ("pledge", "bucket"),
    ),
    "organisation": (
        ("organisation", "parent_key"),
        ("assignment", "organisation_key"),
        ("worker", "organisation_key"),
        ("campaign_organisation", "organisation_key"),
        ("fact", "organisation_key"),
        ("credit", "organisation_key"),
        ("quota", "holder"),
    ),
    "worker": (
        ("account", "worker_id"),
        ("assignment", "worker_id"),
        ("team_membership", "worker_id"),
        ("enrolment_code", "worker_id"),
        ("installation", "worker_id"),
        ("outcome", "worker_id"),
        ("incident", "worker_id"),
        ("import_run", "worker_id"),
        ("payment", "worker_id"),
        ("money_case", "worker_id"),
        ("statement", "worker_id"),
        ("receipt", "worker_id"),
        ("receipt_incident", "worker_id"),
        ("donation", "worker_id"),
        ("remittance", "worker_id"),
        ("nomination", "worker_id"),
        ("handover", "worker_id"),
        ("quota", "holder"),
        ("fact", "promoter"),
    ),
    "team": (("team_membership", "team_id"), ("fact", "team_id"), ("credit", "team_id"), ("quota", "holder")),
    "team_membership": (),
    "assignment": (),
    "plan": (),
    "register_baseline": (),
    "renewal_window": (),
    "outside_figure": (),
    "household": (
        ("person", "household_id"),
        ("enrolment", "household_id"),
        ("visit", "household_id"),
        ("held_wait", "waits_for"),
        ("household", "merged_into"),
        ("fact", "promoter"),
    ),
}
_PROMOTERS = {"worker": ("officer", "hamlet_head"), "household": ("household",)}


def referred_to(
    connection: Connection, what: str, keys: Iterable[str], but: tuple[str, str] | None = None
) -> set[str]:
    """Return which of `keys` something refers to, another column than `but`."""
    found: set[str] = set()
    wanted = sorted(set(keys))
    for table_name, column_name in REFERENCES[what]:
        if (table_name, column_name) == but:
            continue
        column = Base.metadata.tables[table_name].c[column_name]
        for part in chunks(wanted):
            named = _named(what, column_name, part)
            for value in connection.scalars(select(column).where(column.in_(named)).distinct()):
                found.add(named[value])
    return found


def household_ids_referred_to(connection: Connection, household_ids: Select[tuple[str]]) -> set[str]:
    """Return which of the households that a query names something refers to: one query a table."""
    found: set[str] = set()
    for table_name, column_name in REFERENCES["household"]:
        column = Base.metadata.tables[table_name].c[column_name]
        if column_name == "promoter":
            named = connection.scalars(select(column).where(column.startswith("household:")).distinct())
            found |= {value.partition(":")[2] for value in named}
        else:
            found.update(connection.scalars(select(column).where(column.in_(household_ids)).distinct()))
    return found


def _named(what: str, column: str, keys: list[str]) -> dict[str, str]:
    """Return how a column writes the keys."""
    if column == "bucket":
        return {f"{what}:{key}": key for key in keys}
    if column != "promoter":
        return {key: key for key in keys}
    return {f"{kind}:{key}": key for key in keys for kind in _PROMOTERS[what]}
