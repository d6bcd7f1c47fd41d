"""Values for a schema: sound ones, made from its fields, and damaged ones."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import strategies as some
from marshmallow import Schema, fields, validate

from schemas.base import IsoDay, StrictBoolean, StrictInteger, StrictText
from schemas.exchange import RawEntry

_LETTERS = some.characters(exclude_categories=["Cs"], exclude_characters="\x00")
# What damages a value: other types, other forms of the same, the edges of numbers and of Unicode.
ODD = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(allow_nan=False),
    some.text(some.characters(exclude_categories=()), max_size=12),
    some.sampled_from([0, 1, -1, 2**53 - 1, 2**53, -(2**53), 2**63, 2**64, 10**30, 1.0, 1e300, -0.0]),
    some.sampled_from(["", " ", "\u3000", "\x00", "a\x00b", "e\u0302", "\u1ebf", "\u212b", "x" * 2000]),
    some.sampled_from(["\u0323\u0302", "1", "true", "2020-02-29", "2021-02-29", "20200229", "2020-W10-1"]),
    some.sampled_from(["2020-05-23T00:00:00", "0000-01-01", "0001-01-01", "9999-12-31", "2020-05-23\n"]),
    some.sampled_from(
        ["\u0662\u0660\u0662\u0660-05-23", "28249@2004-01-01\n", "00000000-0000-7000-8000-00000000000a\n"]
    ),
    some.sampled_from([[], {}, [[]], [{}], {"a": 1}, [None], ["a"]]),
)


def _checked(field: fields.Field[Any], kind: type[Any]) -> Any:
    return next((check for check in field.validators if isinstance(check, kind)), None)


def _texts(field: StrictText) -> some.SearchStrategy[str]:
    pattern, choices = _checked(field, validate.Regexp), _checked(field, validate.OneOf)
    if pattern is not None:
        return some.from_regex(pattern.regex)
    if choices is not None:
        return some.sampled_from(choices.choices)
    normal = some.text(_LETTERS, max_size=min(field.most, 40)).map(
        lambda text: unicodedata.normalize("NFC", text)
    )
    return normal.map(lambda text: text if len(text.strip()) >= field.least else "Nguyễn Thị Bưởi")


def values_of(field: fields.Field[Any]) -> some.SearchStrategy[Any]:
    """Return sound JSON values of one field."""
    match field:
        case RawEntry():
            sound: some.SearchStrategy[Any] = some.text(max_size=20)
        case StrictText():
            sound = _texts(field)
        case StrictInteger():
            bounds = _checked(field, validate.Range)
            sound = some.integers(bounds.min, bounds.max) | some.sampled_from([bounds.min, bounds.max])
        case StrictBoolean():
            sound = some.booleans()
        case IsoDay():
            sound = some.dates().map(lambda day: day.isoformat())
        case fields.Dict():
            sound = some.dictionaries(some.text(max_size=5), ODD, max_size=3)
        case fields.Nested():
            sound = bodies_of(field.schema)
        case fields.List():
            bounds = _checked(field, validate.Length)
            sound = some.lists(values_of(field.inner), min_size=bounds.min, max_size=min(bounds.max, 3))
        case _:
            raise TypeError(type(field).__name__)
    return some.none() | sound if field.allow_none else sound


def bodies_of(schema: Schema) -> some.SearchStrategy[dict[str, Any]]:
    """Return JSON objects whose members are sound one by one; rules over several may be broken."""
    members = {name: values_of(field) for name, field in schema.fields.items()}
    needed = {name: made for name, made in members.items() if schema.fields[name].required}
    others = {name: made for name, made in members.items() if name not in needed}
    return some.fixed_dictionaries(needed, optional=others)


def damaged(value: Any, place: int, odd: Any, how: str) -> Any:
    """Return a deep copy of JSON in which one node, chosen by `place`, is replaced, dropped or doubled."""
    copied = json.loads(json.dumps(value))
    nodes: list[tuple[Any, Any]] = []
    pending = [copied]
    while pending:
        node = pending.pop()
        for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
            nodes.append((node, key))
            if isinstance(child, dict | list):
                pending.append(child)
    if not nodes:
        return odd
    node, key = nodes[place % len(nodes)]
    match how:
        case "drop":
            del node[key]
        case "add" if isinstance(node, dict):
            node[f"{key}x"] = odd
        case "add":
            node.append(odd)
        case _:
            node[key] = odd
    return copied


def values_for(schema: Schema) -> some.SearchStrategy[Any]:
    """Return JSON values for a schema: sound ones, and ones that are damaged in up to three places."""
    hows = some.sampled_from(["put", "drop", "add"])
    damages = some.lists(some.tuples(some.integers(0, 60), ODD, hows), max_size=3)

    def apply(body: Any, places: list[tuple[int, Any, str]]) -> Any:
        for place, odd, how in places:
            body = damaged(body, place, odd, how) if isinstance(body, dict | list) else body
        return body

    return some.builds(apply, bodies_of(schema), damages)
