"""Hostile entries inside sound, truly signed pushes: each is judged alone, the last goes through."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from schemas.vectors.bodies import WHOLE
from sync.limits import LIMITS
from tests.contracts.hostile.lanes import ANY, Family, Lane, Shot, written_body
from tests.contracts.hostile.tokens import receipt_from
from tests.contracts.hostile.values import (
    CANARY,
    crowd_from,
    deep_from,
    number_from,
    spoilt,
    text_from,
    twice_named,
    value_from,
    written,
)
from tests.support.raw_tablet import SYNC
from tests.support.small_office import COMMUNES, DRIVE

_KINDS = tuple(sorted(WHOLE))
_REFERENCES = {
    "household": "household_registered",
    "person": "person_registered",
    "visit": "visit_recorded",
    "enrolment": "enrolment_recorded",
    "payment": "payment_collected",
}
_MONTHS = ("0001-01", "9999-12", "2020-00", "2020-13", "2020-1", "2020-06-01", "\u0662\u0660\u0662\u0660-01")
_DAYS = ("0001-01-01", "9999-12-31", "9999-01-01", "2020-02-30", "1582-10-10", "2020-1-1", "-001-01-01")


def body_from(rng: Random, lane: Lane, kind: str) -> dict[str, Any]:
    """Return a body of a kind that refers to what this lane has sent: sound but for what is done to it."""
    body = json.loads(json.dumps(WHOLE[kind]))
    for member, referred in _REFERENCES.items():
        if isinstance(body.get(member), str):
            body[member] = lane.one_of(rng, referred)
    if body.get("area"):
        body["area"] = rng.choice(COMMUNES)
    if "campaign" in body:
        body |= {"campaign": DRIVE, "promoter": None}
    if kind.endswith("_amended"):
        body["base"] = body[kind.removesuffix("_amended")]
        body["set"].pop("area", None)
    if kind == "payment_collected":
        body["allocations"] = [{"enrolment": lane.one_of(rng, "enrolment_recorded"), "amount_vnd": 300_000}]
    if "target" in body:
        body["target"] = lane.one_of(rng, rng.choice(list(_REFERENCES.values())))
    return body


def _own_entry(lane: Lane, kind: str, body: Any) -> str:
    entry_id = lane.new_id()
    if kind == "payment_collected" and isinstance(body, dict) and "payment" in body:
        body["payment"] = entry_id
    return lane.entry(kind, body, entry_id)


def _sound(rng: Random, lane: Lane) -> list[str]:
    """Sound entries of every kind, so that the hostile ones have something to refer to."""
    kinds = ["household_registered", "person_registered", "visit_recorded", "enrolment_recorded"]
    kinds += ["payment_collected", "household_amended", "person_amended"]
    return [lane.sound_entry(kind, body_from(rng, lane, kind)) for kind in kinds]


def _spoilt_body(rng: Random, lane: Lane) -> list[str]:
    kinds = [rng.choice(_KINDS) for _ in range(rng.randrange(1, 6))]
    return [_own_entry(lane, kind, spoilt(rng, body_from(rng, lane, kind))) for kind in kinds]


def _spoilt_envelope(rng: Random, lane: Lane) -> list[str]:
    kind = rng.choice(_KINDS)
    content = json.loads(lane.entry(kind, body_from(rng, lane, kind)))
    return [written(spoilt(rng, content)), written(rng.choice([value_from(rng), [content], content["body"]]))]


def _texts(rng: Random, lane: Lane) -> list[str]:
    """NUL, surrogates, other normal forms, endless texts, in every text of a body."""
    kind = rng.choice(_KINDS)
    return [_own_entry(lane, kind, spoilt(rng, body_from(rng, lane, kind), text_from(rng))) for _ in "ab"]


def _any_text(rng: Random, lane: Lane) -> list[str]:
    texts = [text_from(rng).encode("utf-8", "replace").decode() for _ in range(3)]
    return [*texts, texts[0] * 3, "{}", "[]", "null", f'"{CANARY}"', '{"id":1', "{" * 40]


def _deep(rng: Random, lane: Lane) -> list[str]:
    envelope = lane.entry(rng.choice(_KINDS), "@")
    return [deep_from(rng)[:100_000], envelope.replace('"@"', deep_from(rng)[:16_000])]


def _numbers(rng: Random, lane: Lane) -> list[str]:
    """Amounts, counts and times that no field can hold."""
    digits = rng.choice(
        ["9" * 4_000, "-" + "9" * 9_000, "1e400", "1E5", "-0", "NaN", "Infinity", "01", "1.0"]
    )
    payment = body_from(rng, lane, "payment_collected")
    payment["allocations"][0]["amount_vnd"] = 7_777_777
    as_payment = _own_entry(lane, "payment_collected", payment).replace("7777777", digits)
    payment["allocations"] = [
        {"enrolment": lane.one_of(rng, "enrolment_recorded"), "amount_vnd": number_from(rng)}
        for _ in range(rng.choice([0, 1, 2, 20, 21, 51]))
    ]
    many = [_own_entry(lane, "payment_collected", dict(payment))]
    enrolment = body_from(rng, lane, "enrolment_recorded")
    enrolment[rng.choice(["months", "amount_due_vnd", "income_vnd", "campaign"])] = number_from(rng)
    return [as_payment, *many, _own_entry(lane, "enrolment_recorded", enrolment)]


def _days(rng: Random, lane: Lane) -> list[str]:
    enrolment = body_from(rng, lane, "enrolment_recorded") | {"from_month": rng.choice(_MONTHS), "months": 60}
    if rng.random() < 0.5:
        # As version 1 wrote it, which is lifted.
        del enrolment["from_month"]
        enrolment["from_day"] = rng.choice(_DAYS)
    person = body_from(rng, lane, "person_registered") | {"birth_date": rng.choice(_DAYS)}
    visit = body_from(rng, lane, "visit_recorded") | {"call_back_on": rng.choice(_DAYS)}
    return [
        _own_entry(lane, "enrolment_recorded", enrolment),
        _own_entry(lane, "person_registered", person),
        _own_entry(lane, "visit_recorded", visit),
    ]


def _clocks(rng: Random, lane: Lane) -> list[str]:
    """Captures before time and after it, and monotonic clocks that run backwards."""
    entries = []
    for _ in range(3):
        kind = rng.choice(_KINDS)
        content = json.loads(_own_entry(lane, kind, body_from(rng, lane, kind)))
        edges = [0, -1, 2**53 - 1, -(2**53) + 1, 2**53, 253_402_300_800_000, -62_135_596_800_001, 10**12]
        content["captured"]["wall_ms"] = rng.choice([*edges, number_from(rng)])
        content["captured"]["monotonic_ms"] = rng.choice([0, 2**53 - 1, 2**53, -1, number_from(rng)])
        content["captured"]["boot"] = rng.choice(["lane", "b" * 64, "b" * 65, "", "é", text_from(rng)])
        entries.append(written(content))
    return entries


def _twice(rng: Random, lane: Lane) -> list[str]:
    kind = rng.choice(["payment_collected", *_KINDS])
    content = json.loads(_own_entry(lane, kind, body_from(rng, lane, kind)))
    inner = written(content | {"body": "@"}).replace('"@"', twice_named(rng, content["body"]))
    return [twice_named(rng, content), inner]


def _crowds(rng: Random, lane: Lane) -> list[str]:
    kind = rng.choice(_KINDS)
    body = body_from(rng, lane, kind)
    few = {f"k{n}": 0 for n in range(1_200)}
    long_name = {"n" * 15_000: 1}
    return [
        lane.entry(kind, body | rng.choice([few, long_name])),
        lane.entry(kind, crowd_from(rng, 3_000)),
        lane.entry(kind, {"set": few, "household": lane.one_of(rng, "household_registered")}),
    ]


def _references(rng: Random, lane: Lane) -> list[str]:
    """To oneself, to another kind, to what comes later, to nothing, and voids of all of it."""
    entries = []
    for _ in range(4):
        kind = rng.choice([kind for kind in _KINDS if kind != "household_registered"])
        body, entry_id = body_from(rng, lane, kind), lane.new_id()
        members = [name for name in (*_REFERENCES, "base", "target") if name in body]
        strange = [entry_id, lane.new_id(), "", "0" * 36, lane.one_of(rng, rng.choice(_KINDS))]
        for name in members:
            body[name] = rng.choice(strange)
        if "promoter" in body:
            kinds = ["officer", "hamlet_head", "household", "contest_entrant"]
            body["promoter"] = {"kind": rng.choice(kinds), "id": rng.choice(strange)}
        entries.append(lane.entry(kind, body, entry_id))
    return entries


def _ids(rng: Random, lane: Lane) -> list[str]:
    """The same bytes again, other bytes under a known id, and one id twice in one push."""
    known = rng.choice(lane.sent or [lane.sound()])
    kind = rng.choice(_KINDS)
    other = lane.entry(kind, body_from(rng, lane, kind), lane.one_of(rng, rng.choice(_KINDS)))
    entry = _own_entry(lane, kind, body_from(rng, lane, kind))
    return [known, other, entry, entry, entry + " "]


def _receipts(rng: Random, lane: Lane) -> list[str]:
    payment = _own_entry(lane, "payment_collected", body_from(rng, lane, "payment_collected"))
    receipts = [lane.entry("receipt_issued", receipt_from(rng, lane)) for _ in range(3)]
    return [payment, *receipts]


def _oversized(rng: Random, lane: Lane) -> list[str]:
    note = rng.choice(["x", "Ệ", "\\u0000", "\\ud800"]) * rng.choice([501, 16_400, 100_000])
    visit = lane.entry("visit_recorded", body_from(rng, lane, "visit_recorded") | {"note": "@"})
    payment = _own_entry(lane, "payment_collected", body_from(rng, lane, "payment_collected"))
    return [visit.replace("@", note), payment[:-1] + " " * 20_000 + "}"]


def _full(rng: Random, lane: Lane) -> list[str]:
    """As many entries as a push may have; as large as an entry may be, where there is room."""
    entries = []
    for _ in range(LIMITS.batch_entries - 1):
        kind = rng.choice(_KINDS)
        entry = _own_entry(lane, kind, body_from(rng, lane, kind))
        # All of them padded would not fit the request: quotes inside a string take two bytes.
        entries.append(entry[:-1] + " " * (LIMITS.entry_bytes - len(entry) - 400) + "}")
    return entries


def _small_full(rng: Random, lane: Lane) -> list[str]:
    return [text_from(rng).encode("utf-8", "replace").decode() for _ in range(LIMITS.batch_entries - 1)]


def _too_many(rng: Random, lane: Lane) -> Shot:
    entries = [lane.sound()] * rng.choice([LIMITS.batch_entries + 1, 5_000])
    return lane.signed(SYNC, written_body(lane.request(entries)), zipped=True)


def _journals(rng: Random, lane: Lane) -> Shot:
    """Replays, gaps, heads that lie and, seldom, a fork, which fences."""
    content = lane.request([lane.sound()])
    push, head = content["push"], content["journal_head"]
    way = rng.randrange(40)
    if way == 0:
        push["previous_digest"] = "f" * 64
    elif way < 10:
        push["first_seq"], head["seq"] = lane.seq + 1 + rng.choice([1, 10**6]), 2**53 - 1
    elif way < 20:
        head["seq"] = rng.choice([0, lane.seq, lane.seq + 5])
    elif way < 30:
        head["digest"] = rng.choice(["0" * 64, lane.digest])
    else:
        push["entries"] = rng.choice([[], [""], [lane.sound()] * 2])
    return lane.signed(SYNC, written_body(content))


def _pushed(
    make: Callable[[Random, Lane], list[str]], *, zipped: bool = False
) -> Callable[[Random, Lane], Shot]:
    return lambda rng, lane: lane.push(make(rng, lane), zipped=zipped)


_THROUGH = frozenset({200})
FAMILIES = (
    Family("entry: sound, of every kind", 30, _THROUGH, _pushed(_sound)),
    Family("entry: wrong types everywhere", 125, _THROUGH, _pushed(_spoilt_body)),
    Family("entry: the envelope spoilt", 40, _THROUGH, _pushed(_spoilt_envelope)),
    Family("entry: NUL, surrogates, forms", 60, _THROUGH, _pushed(_texts)),
    Family("entry: any text", 20, _THROUGH, _pushed(_any_text)),
    Family("entry: deep JSON", 15, _THROUGH, _pushed(_deep, zipped=True)),
    Family("entry: huge numbers, NaN", 40, _THROUGH, _pushed(_numbers)),
    Family("entry: days at the edges", 20, _THROUGH, _pushed(_days)),
    Family("entry: odd clocks", 30, _THROUGH, _pushed(_clocks)),
    Family("entry: a member twice", 30, _THROUGH, _pushed(_twice)),
    Family("entry: crowds and long names", 7, _THROUGH, _pushed(_crowds, zipped=True)),
    Family("entry: odd references", 40, _THROUGH, _pushed(_references)),
    Family("entry: ids again", 30, _THROUGH, _pushed(_ids)),
    Family("entry: odd receipts", 40, _THROUGH, _pushed(_receipts)),
    Family("entry: over its size", 5, _THROUGH, _pushed(_oversized, zipped=True)),
    Family("push: 500 × 16 KiB", 1, _THROUGH, _pushed(_full, zipped=True)),
    Family("push: 500 scraps", 2, _THROUGH, _pushed(_small_full, zipped=True)),
    Family("push: more than 500", 2, frozenset({422}), _too_many),
    Family("push: journals that lie", 40, ANY, _journals),
)
