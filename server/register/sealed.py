"""What of a line is personal: sealed as one value, and found by blind indexes of its numbers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from schemas.signatures import from_base64url, to_base64url
from server.sealing import Sealer

_PLACE = "participant.sealed"


@dataclass(frozen=True, slots=True)
class LineValues:
    """The personal values of a line; `birth_date` as 2020-05-12."""

    insurance_number: str | None
    national_id: str | None
    full_name: str
    birth_date: str | None

    def indexes(self, sealer: Sealer) -> dict[str, str | None]:
        """Return what finds the line: the indexes that persons have too, and the number it is kept under."""
        insurance, national = (
            None if value is None else sealer.blind_index(name, value)
            for name, value in (
                ("insurance_number", self.insurance_number),
                ("national_id", self.national_id),
            )
        )
        key = f"national_id:{national}" if insurance is None else f"insurance_number:{insurance}"
        return {"insurance_index": insurance, "national_index": national, "key_number": key}


def sealed_line(sealer: Sealer, import_id: str, number: int, values: LineValues) -> str:
    """Return the values sealed for the line's place."""
    text = json.dumps(asdict(values), ensure_ascii=False)
    return to_base64url(sealer.seal(text, _PLACE, f"{import_id}/{number}"))


def opened_line(sealer: Sealer, import_id: str, number: int, sealed: str) -> LineValues:
    """Return the values of a line. Raises SealBrokenError."""
    return LineValues(**json.loads(sealer.open(from_base64url(sealed), _PLACE, f"{import_id}/{number}")))
