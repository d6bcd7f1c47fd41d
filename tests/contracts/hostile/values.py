"""Hostile values and the JSON of them, from a seeded source: what no honest client would write."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

# It stands in hostile texts; no answer of the API may repeat it.
CANARY = "khonglap7731"
_NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, True, False, 1.0, 1.5, -0.0, 1e308, 1e-320),
    *(2**31, 2**32, 2**53 - 1, 2**53, -(2**53), 2**63 - 1, 2**63, -(2**63), 2**64, 10**40, 10**400),
    *(float("nan"), float("inf"), float("-inf"), 999_999_999, 1_000_000_001),
)
_TEXTS = (
    "",
    " ",
    "\x00",
    f"a\x00{CANARY}",
    "\ud800",
    "\udfff\ud800",
    f"{CANARY}\ud83d",
    "e\u0302\u0301",
    "\u1100\u1161\u11a8",
    "\u202e\u2066\u200f\u200b\ufeff",
    "\u0660\u0661\u0662",
    "\U0010ffff\ufffe",
    "1.0",
    "NaN",
    "null",
    "'; DROP TABLE entry; --",
    "{{ 7 * 7 }}<script>alert(1)</script>",
    "../../../../etc/passwd",
    "%s%n%00",
    "\r\nSet-Cookie: a=b",
    "A" * 501,
    "Ệ" * 1001,
    "0001-01-01",
    "9999-12-31",
    "2020-02-30",
    "2020-W20-2",
    "=" * 22,
    "-" * 22,
    "00000000-0000-0000-0000-000000000000",
    "01720000-0000-7000-8000-000000000001",
    "99001@2004-01-01",
    "28252@2004-01-01",
    "28252@0000-00-00",
    "f" * 64,
    "9" * 400,
)
_NAMES = ("id", "kind", "body", "__proto__", "__class__", "", "\x00", "\ud800", "e\u0302", "a.b")


def text_from(rng: Random) -> str:
    """Return a text that somebody may have forgotten."""
    if rng.random() < 0.6:
        return rng.choice(_TEXTS)
    plane = rng.choice([0x80, 0x250, 0x2000, 0x11_0000])
    return "".join(chr(rng.randrange(plane)) for _ in range(rng.randrange(1, 40)))


def number_from(rng: Random) -> Any:
    """Return a number at some edge."""
    return rng.choice(_NUMBERS) if rng.random() < 0.8 else rng.randrange(-(2**70), 2**70)


def value_from(rng: Random, depth: int = 3) -> Any:
    """Return any JSON value, and some that JSON has no right to."""
    choice = rng.randrange(8 if depth else 5)
    if choice < 2:
        return text_from(rng)
    if choice < 4:
        return number_from(rng)
    if choice == 4:
        return None
    if choice == 5:
        return [value_from(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {
        rng.choice(_NAMES) if rng.random() < 0.5 else text_from(rng): value_from(rng, depth - 1)
        for _ in range(rng.randrange(5))
    }


def spoilt(rng: Random, content: Any, value: Any = None) -> Any:
    """Return a copy of some JSON in which one node is something else, is gone, or has a companion."""
    copied = json.loads(json.dumps(content))
    nodes: list[tuple[Any, Any]] = []
    pending = [copied]
    while pending:
        node = pending.pop()
        for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
            nodes.append((node, key))
            if isinstance(child, dict | list):
                pending.append(child)
    node, key = rng.choice(nodes)
    way = rng.randrange(10)
    if way == 0:
        del node[key]
    elif way == 1 and isinstance(node, dict):
        node[rng.choice(_NAMES)] = value_from(rng)
    else:
        node[key] = value_from(rng) if value is None else value
    return copied


def written(value: Any) -> str:
    """Return JSON in ASCII: an escape can say what UTF-8 cannot."""
    return json.dumps(value, ensure_ascii=True)


def twice_named(rng: Random, content: dict[str, Any]) -> str:
    """Return an object's JSON in which some member stands twice, with the same or another value."""
    name = rng.choice(list(content))
    again = content[name] if rng.random() < 0.3 else value_from(rng, 1)
    inner = written(content)[1:-1]
    return f"{{{inner},{written(name)}:{written(again)}}}"


def deep_from(rng: Random) -> str:
    """Return JSON that nests without end, closed or not."""
    opening, closing = rng.choice([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), ('{"push":[', "]}")])
    count = rng.choice([13, 100, 900, 5_000, 60_000])
    inside = rng.choice(["", "1", '""'])
    return opening * count + inside + (closing * count if rng.random() < 0.6 else "")


def crowd_from(rng: Random, most: int = 30_000) -> dict[str, Any]:
    """Return an object with very many members, or with a few of endless names."""
    if rng.random() < 0.3:
        return {chr(97 + n) * rng.choice([1_000, 100_000]): n for n in range(rng.randrange(1, 4))}
    stem = rng.choice(["", "k", "\u1ec7", "0" * 20])
    return {f"{stem}{n}": 0 for n in range(rng.choice([1_000, most // 3, most]))}


ENCODINGS: tuple[Callable[[str], bytes], ...] = (
    lambda text: text.encode("utf-16", "surrogatepass"),
    lambda text: text.encode("utf-32", "surrogatepass"),
    lambda text: b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass"),
    lambda text: text.encode("latin-1", "replace"),
    lambda text: text.encode("cp1258", "replace"),
    lambda text: text.encode("utf-7", "replace"),
    # Surrogates, overlong forms and lone continuation bytes in what claims to be UTF-8.
    lambda text: text.replace("1", "\ud800").encode("utf-8", "surrogatepass"),
    lambda text: text.encode("utf-8").replace(b"1", b"\xc0\xb1"),
    lambda text: text.encode("utf-8").replace(b"a", b"\x80"),
)
