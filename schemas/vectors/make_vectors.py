"""Writes the golden vectors: python -m schemas.vectors.make_vectors.

Everything is fixed, signatures too, so that a second run changes nothing. A served protocol version
keeps its results: a difference in a file that is committed is a change of the contract
(docs/protocol.md, "Versions").
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.catalogue import KINDS, load_body
from schemas.vectors import core_cases, exchange_cases, signed_cases
from schemas.vectors.bodies import body_cases
from schemas.vectors.rate_cases import rate_vectors
from sync.entry import Fault

FOLDER = Path(__file__).parent


def loaded_body(case: dict[str, Any]) -> dict[str, Any]:
    """Return what a case's body loads to (days as text), or the code and the field of its fault."""
    loaded = load_body(KINDS[case["kind"]], case["body"])
    if isinstance(loaded, Fault):
        return {"loaded": None, "code": str(loaded.code), "field": loaded.field}
    plain = json.loads(json.dumps(loaded, default=lambda day: day.isoformat()))
    return {"loaded": plain, "code": None, "field": None}


def _bodies() -> list[dict[str, Any]]:
    """Return the cases with what they load to. Codes stay as written by hand."""
    return [{**case, "loaded": loaded_body(case)["loaded"]} for case in body_cases()]


def vectors() -> dict[str, Any]:
    """Return every file's content by its name."""
    return {
        "bodies": {"cases": _bodies()},
        "entries": {"cases": core_cases.envelope_cases()},
        "journal": core_cases.journal_vectors(),
        "push": {"cases": core_cases.push_cases()},
        "clock": {"cases": core_cases.clock_cases()},
        "merge": {"cases": core_cases.merge_cases()},
        "feed": core_cases.feed_vectors(),
        "names": {"cases": core_cases.name_cases()},
        "signatures": signed_cases.signature_vectors(),
        "receipts": signed_cases.receipt_vectors(),
        "donations": signed_cases.donation_vectors(),
        "exchanges": {"cases": exchange_cases.exchange_cases()},
        "rates": rate_vectors(),
    }


def file_text(content: Any) -> str:
    """Return a file's text; ASCII, so that no editor can change a letter's form."""
    return json.dumps(content, ensure_ascii=True, indent=1) + "\n"


def main() -> None:
    """Write the files anew."""
    for name, content in vectors().items():
        (FOLDER / f"{name}.json").write_text(file_text(content), encoding="ascii")


if __name__ == "__main__":
    main()
