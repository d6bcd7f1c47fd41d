"""The codes by which sheets name workers, teams and households: sealed, found by their blind index."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from schemas.signatures import from_base64url, to_base64url
from server.audit.changes import Change
from server.bulk_rows import among, chunks, rows_among, upsert
from server.imports.models import SheetCode
from server.imports.sheet import NewCode
from server.sealing import Sealer

WORKER, TEAM, HOUSEHOLD = "worker", "team", "household"
_SEALED_AT = "sheet_code.sealed"
_CODE = SheetCode.__table__.c
_FOUND = select(_CODE.code_index, _CODE.target_id).where(among(_CODE.code_index))


class GivenCodes:
    """The codes of one kind, as one reading of the office and the sheet so far know them."""

    def __init__(self, connection: Connection, sealer: Sealer, kind: str) -> None:
        self._connection, self._sealer, self._kind = connection, sealer, kind
        self._targets: dict[str, str | None] = {}
        self._indexes: dict[str, str] = {}

    def load(self, codes: Iterable[str]) -> None:
        """Look up these codes with one query; what was looked up before is known."""
        self._indexes = {code: code_index(self._sealer, self._kind, code) for code in codes}
        wanted = set(self._indexes.values()) - self._targets.keys()
        self._targets.update(dict.fromkeys(wanted))
        statement = _FOUND.where(_CODE.kind == self._kind)
        self._targets.update({row[0]: row[1] for row in rows_among(self._connection, statement, wanted)})

    def target(self, code: str) -> str | None:
        """Return whom a code names; it was loaded, or added since."""
        return self._targets.get(self._index(code))

    def has_padded(self, code: str) -> bool:
        """Return whether the code is known with zeros before it: a spreadsheet may have lost them."""
        padded = [code.zfill(len(code) + zeros) for zeros in (1, 2, 3)] if code.isdigit() else []
        self.load(padded)
        return any(self.target(each) is not None for each in padded)

    def add(self, code: str, target_id: str) -> NewCode:
        """Let later rows know a code that this sheet gives."""
        self._targets[self._index(code)] = target_id
        return NewCode(self._kind, code, target_id)

    def _index(self, code: str) -> str:
        return self._indexes.get(code) or code_index(self._sealer, self._kind, code)


def code_index(sealer: Sealer, kind: str, code: str) -> str:
    """Return what a code is found by."""
    return sealer.blind_index(f"sheet_code.{kind}", code)


def code_rows(
    sealer: Sealer, import_id: str, codes: Iterable[tuple[int, NewCode]]
) -> list[dict[str, object]]:
    """Return the rows that keep these codes, each with the number of its row in the sheet."""
    rows: list[dict[str, object]] = []
    indexed = [(number, given, code_index(sealer, given.kind, given.code)) for number, given in codes]
    texts = [(f"{given.kind}/{index}", given.code) for _, given, index in indexed]
    for (number, given, index), sealed in zip(indexed, sealer.seal_all(texts, _SEALED_AT), strict=True):
        rows.append(
            {
                "kind": given.kind,
                "code_index": index,
                "sealed": to_base64url(sealed),
                "target_id": given.target_id,
                "import_id": import_id,
                "number": number,
            }
        )
    return rows


def put_codes(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Keep codes; one that is there already stays what a later import made of it."""
    upsert(connection, SheetCode.__table__, rows, ["kind", "code_index"])


def forget_codes(change: Change, import_id: str) -> None:
    """Forget the codes that an import gave."""
    change.connection.execute(delete(SheetCode).where(_CODE.import_id == import_id))


def codes_of(connection: Connection, sealer: Sealer, kind: str, target_ids: Iterable[str]) -> dict[str, str]:
    """Return the code of each target that has one."""
    found = {}
    for part in chunks(sorted(set(target_ids))):
        query = select(_CODE.code_index, _CODE.sealed, _CODE.target_id)
        for row in connection.execute(query.where(_CODE.kind == kind, _CODE.target_id.in_(part))):
            sealed = from_base64url(row.sealed)
            found[row.target_id] = sealer.open(sealed, _SEALED_AT, f"{kind}/{row.code_index}")
    return found
