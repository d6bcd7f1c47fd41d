"""Names of people and places: the key under which they are searched, initials, masked numbers."""

from __future__ import annotations

import re
import unicodedata

# The marks of Vietnamese letters and more; U+034F is none, and stays.
_MARKS = re.compile("[\u0300-\u034e\u0350-\u036f]+")


def search_key(name: str) -> str:
    """Return `name` in lower case without diacritics, with đ as d and single spaces."""
    folded = name.casefold().replace("đ", "d")
    if not folded.isascii():
        folded = _MARKS.sub("", unicodedata.normalize("NFD", folded))
        if not folded.isascii():
            # Another script than ours: letter by letter.
            folded = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(folded.split())


def initials(name: str) -> str:
    """Return the initials of a person's name: Nguyễn Thị Bưởi → N.T.B."""
    return "".join(f"{word[0].upper()}." for word in name.split())


def masked(number: str | None) -> str | None:
    """Return a number of which only the last four digits can be read."""
    if number is None:
        return None
    return "•" * max(len(number) - 4, 0) + number[-4:]
