"""What the workbench's forms say, read strictly. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.codes import EntryCode
from sync.entry import UUID7_PATTERN, UUID_PATTERN, strict_json

AGES_DAYS = (1, 3, 7, 30)
# What another value can be typed for; a household or an area is chosen, never typed.
TYPED_FIELDS = frozenset(
    (
        *("head_name", "address", "hamlet", "members", "phone"),
        *("full_name", "birth_date", "sex", "national_id", "insurance_number"),
    )
)
NUMBER_FIELDS = frozenset(("phone", "national_id", "insurance_number"))
# A day as people here write it.
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


@dataclass(frozen=True, slots=True)
class QuarantineChoice:
    """Which entries the viewer asked for; None: whatever it is."""

    code: str | None = None
    worker_id: str | None = None
    older_days: int | None = None
    is_returned: bool = False


def quarantine_choice(arguments: Mapping[str, str]) -> QuarantineChoice:
    """Return what an address asks for; what makes no sense is left out."""
    code, worker_id, older = (arguments.get(name, "") for name in ("code", "agent", "older"))
    return QuarantineChoice(
        code=code if code in set(EntryCode) else None,
        worker_id=worker_id if UUID_PATTERN.fullmatch(worker_id) else None,
        older_days=next((days for days in AGES_DAYS if str(days) == older), None),
        is_returned=arguments.get("tab") == "returned",
    )


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


def shown_value(field: str, value: Any, words: Mapping[str, str]) -> str | None:
    """Return a field's value for people; `words` name areas and households. Numbers are not masked."""
    if value is None:
        return None
    text = words.get(str(value), str(value))
    if field == "birth_date":
        year, month, day = text.split("-")
        return f"{day}/{month}/{year}"
    return text


def typed_value(field: str, text: str) -> Any:
    """Return what was typed for a field as its schema wants it; nothing typed clears the field."""
    text = typed_text(text)
    if not text:
        return None
    if field == "members" and text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    if field in NUMBER_FIELDS:
        return re.sub(r"[ .-]", "", text)
    if field == "birth_date" and (found := _DAY.fullmatch(text)):
        day, month, year = found.groups()
        return f"{year}-{int(month):02}-{int(day):02}"
    return text
