"""What a history that goes wrong raises."""

from __future__ import annotations


class Violation(AssertionError):  # noqa: N818 - what it says is what it is
    """Something that must hold does not; the message names the invariant."""


def require(condition: object, invariant: str, *words: object) -> None:
    """Raise Violation unless `condition`; `invariant` is its number and its words."""
    if not condition:
        raise Violation(f"{invariant}: {' '.join(str(word)[:600] for word in words)}")


def require_equal(found: object, wanted: object, invariant: str, *words: object) -> None:
    """Raise Violation unless both are equal, and show where they differ."""
    if found == wanted:
        return
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(
            (key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)), key=str
        )
        shown = "; ".join(f"{key}: found {found.get(key)!r}, wanted {wanted.get(key)!r}" for key in keys[:4])
    else:
        shown = f"found {found!r}, wanted {wanted!r}"
    raise Violation(f"{invariant}: {' '.join(map(str, words))} {shown[:1500]}")
