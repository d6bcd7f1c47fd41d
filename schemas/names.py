"""Names of people and places: the key under which they are searched, initials, masked numbers."""

from __future__ import annotations

import unicodedata


def search_key(name: str) -> str:
    """Return `name` in lower case without diacritics, with đ as d and single spaces."""
    folded = name.casefold().replace("đ", "d")
    letters = unicodedata.normalize("NFD", folded)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(plain.split())


def initials(name: str) -> str:
    """Return the initials of a person's name: Nguyễn Thị Bưởi → N.T.B."""
    return "".join(f"{word[0].upper()}." for word in name.split())


def masked(number: str | None) -> str | None:
    """Return a number of which only the last four digits can be read."""
    if number is None:
        return None
    return "•" * max(len(number) - 4, 0) + number[-4:]
