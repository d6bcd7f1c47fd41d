"""What the workbench's forms say, read strictly. Pure."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from sync.entry import UUID7_PATTERN, strict_json

AGES_DAYS = (1, 3, 7, 30)


@dataclass(frozen=True, slots=True)
class QuarantineChoice:
    """Which entries the viewer asked for; None: whatever it is."""

    code: str | None = None
    worker_id: str | None = None
    older_days: int | None = None
    is_returned: bool = False


def typed_text(text: str) -> str:
    """Return what somebody typed into a form as the contract wants it: NFC, lines ended by LF."""
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()


def typed_body(text: str) -> dict[str, Any] | None:
    """Return the JSON object that somebody typed, or None where it is none."""
    try:
        value = strict_json(typed_text(text))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def shown_body(raw: str) -> str | None:
    """Return the body of an entry as text to correct, or None where none can be read."""
    try:
        body = strict_json(raw)["body"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    return readable(body) if isinstance(body, dict) else None


def readable(value: Any) -> str:
    """Return JSON set out for reading; half a surrogate pair, which no page can hold, stays escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def may_be_corrected(state: str | None, entry_id: str) -> bool:
    """Return whether an entry can be judged again: quarantined, under an id of its own."""
    return state == "quarantined" and UUID7_PATTERN.fullmatch(entry_id) is not None
