"""Vectors of the reconciliation core: envelopes, chain, placement, corrected time, merges, sums, names."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta, timezone
from typing import Any

from schemas.names import initials, masked, search_key
from sync.clock import ClockMark, ClockReading, business_day, correct_time
from sync.entry import CapturedEntry, read_entry
from sync.feed import EMPTY_SUM, row_hash, sum_changed
from sync.journal import chain, entry_sha256, genesis_digest
from sync.limits import LIMITS
from sync.merge import LoggedEdit, conflicts, ranked, standing_fields
from sync.push import Append, Fork, Gap, HeadMismatch, Hole, JournalHead, Pushed, place

INSTALLATION = "6f1f3c52-0000-4000-8000-000000000001"
START_MS = 1_590_192_000_000
_HOUR_MS = 3_600_000
# Việt Nam has had no other offset since 1975.
_OFFSET_MINUTES = 7 * 60
_CAPTURED = {"wall_ms": START_MS, "boot": "k3", "monotonic_ms": 8123}
_ID = "01720000-0000-7000-8000-000000000001"


def entry_text(body: Any, /, **changes: Any) -> str:
    """Return an entry's bytes as a client would write them; `changes` replace the envelope's members."""
    members = {"id": _ID, "kind": "entry_voided", "captured": _CAPTURED, "body": body} | changes
    kept = {name: value for name, value in members.items() if value is not ...}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def envelope_cases() -> list[dict[str, Any]]:
    """Entries as strings: what is read of them, or the code and the field of the fault."""
    # Envelope, body and the lists inside: three levels of every entry are its own.
    texts = {
        "sound": entry_text({"reason": "Thử"}),
        "spaces and another order": '{ "body": {}, "captured": '
        + json.dumps(_CAPTURED)
        + f', "kind": "a_kind_of_tomorrow", "id": "{_ID}" }}',
        "no JSON": "{",
        "empty": "",
        "a list": "[]",
        "not a number": entry_text({}).replace('"body":{}', '"body":{"members":NaN}'),
        "a member twice": entry_text({}).replace('"body":{}', '"body":{"a":1,"a":2}'),
        "text after the end": entry_text({}) + "x",
        "too large": entry_text({"reason": "x" * LIMITS.entry_bytes}),
        "as deep as allowed": entry_text({"x": _nested(LIMITS.json_depth - 2)}),
        "too deep": entry_text({"x": _nested(LIMITS.json_depth - 1)}),
        "an id of version 4": entry_text({}, id="01720000-0000-4000-8000-000000000001"),
        "an id in capitals": entry_text({}, id="01720000-0000-7000-8000-00000000000A"),
        "no id": entry_text({}, id=...),
        "no body": entry_text({}, body=...),
        "an unknown member": entry_text({}, seq=1),
        "a kind in capitals": entry_text({}, kind="Visit"),
        "a number as kind": entry_text({}, kind=7),
        "a list as body": entry_text([]),
        "a fraction of a millisecond": entry_text({}, captured=_CAPTURED | {"wall_ms": 1.5}),
        "a time beyond 2^53": entry_text({}, captured=_CAPTURED | {"wall_ms": 2**53}),
        "a monotonic clock below zero": entry_text({}, captured=_CAPTURED | {"monotonic_ms": -1}),
        "a boot with a space": entry_text({}, captured=_CAPTURED | {"boot": "k 3"}),
        "a NUL": entry_text({"reason": "a\x00b"}),
        "half a surrogate pair": entry_text({"reason": "@"}).replace("@", "\\ud800"),
        "too long a text": entry_text({"reason": "x" * (LIMITS.text_characters + 1)}),
    }
    return [{"name": name, "text": text, **envelope_read(text)} for name, text in texts.items()]


def envelope_read(text: str) -> dict[str, Any]:
    """Return what `sync.entry` reads of an entry, as JSON values."""
    entry = read_entry(text, LIMITS)
    if isinstance(entry, CapturedEntry):
        read = {
            "id": entry.entry_id,
            "kind": entry.kind,
            "captured": entry.captured._asdict(),
            "body": entry.body,
        }
        return {"entry": read, "code": None, "field": None}
    return {"entry": None, "code": str(entry.fault.code), "field": entry.fault.field}


def journal_vectors() -> dict[str, Any]:
    """The hash chain over three entries."""
    entries = [entry_text({"reason": "Một"}), entry_text({"reason": "Hai"}), "not even JSON"]
    sha256s = [entry_sha256(text) for text in entries]
    first = genesis_digest(INSTALLATION)
    return {
        "installation": INSTALLATION,
        "genesis": first,
        "entries": entries,
        "sha256s": sha256s,
        "digests": chain(first, sha256s),
    }


def push_cases() -> list[dict[str, Any]]:
    """Pushed runs against a journal of four entries that is acknowledged up to the third."""
    first = genesis_digest(INSTALLATION)
    sha256s = [entry_sha256(str(number)) for number in range(1, 6)]
    digests = [first, *chain(first, sha256s)]
    stored = dict(enumerate(digests[:4]))
    other = entry_sha256("another")

    def case(
        name: str, first_seq: int, run: list[str], head: tuple[int, str] | None = None, before: str = ""
    ) -> dict[str, Any]:
        previous = before or digests[first_seq - 1]
        reached = chain(previous, run)
        last = first_seq + len(run) - 1
        seq, digest = head or (last, reached[-1] if reached else previous)
        return {
            "name": name,
            "pushed": {"first_seq": first_seq, "previous_digest": previous, "sha256s": run},
            "journal_head": {"seq": seq, "digest": digest},
            "acked_seq": 3,
            "stored": {str(at): value for at, value in stored.items()},
        }

    cases = [
        case("the next entry", 4, sha256s[3:4]),
        case("the next two", 4, sha256s[3:5]),
        case("the next entry of a longer journal", 4, sha256s[3:4], (5, digests[5])),
        case("everything again", 1, sha256s[:3]),
        case("half of it again", 2, sha256s[1:4]),
        case("nothing", 4, [], (3, digests[3])),
        case("a gap", 5, sha256s[4:5]),
        case("another entry at a known place", 3, [other]),
        case("the next entry after another past", 4, sha256s[3:4], None, other),
        case("a head that is not the run's", 4, sha256s[3:4], (4, other)),
        case("a head before the run's end", 4, sha256s[3:5], (4, digests[4])),
        case("a head in the past that contradicts", 4, [], (3, other)),
    ]
    holes = _hole_cases([*digests, *chain(digests[-1], [sixth := entry_sha256("6")])], [*sha256s, sixth])
    return [{**shown, "placement": placement_of(shown)} for shown in [*cases, *holes]]


def _hole_cases(digests: list[str], sha256s: list[str]) -> list[dict[str, Any]]:
    """Declared holes, and runs over the one of positions 2 and 3 in a journal acknowledged up to 4."""
    other = entry_sha256("another")
    lost = asdict(Hole(2, 3, digests[3]))

    def case(
        name: str, first_seq: int, run: list[str], acked_seq: int, hole: tuple[int, int, str] | None
    ) -> dict[str, Any]:
        previous = digests[first_seq - 1]
        reached = [previous, *chain(previous, run)]
        known = range(4) if acked_seq == 3 else (0, 1, 3, 4)
        return {
            "name": name,
            "pushed": {"first_seq": first_seq, "previous_digest": previous, "sha256s": run},
            "journal_head": {"seq": first_seq + len(run) - 1, "digest": reached[-1]},
            "acked_seq": acked_seq,
            "stored": {str(seq): digests[seq] for seq in known},
            "hole": None if hole is None else asdict(Hole(*hole)),
            "lost": [] if acked_seq == 3 else [lost],
        }

    return [
        case("a hole and the entry behind it", 6, sha256s[5:6], 3, (4, 5, digests[5])),
        case("a hole and nothing behind it", 6, [], 3, (4, 5, digests[5])),
        case("a hole that the server does not have", 6, sha256s[5:6], 4, (4, 5, digests[5])),
        case("a hole that leaves a gap", 6, sha256s[5:6], 3, (5, 5, digests[5])),
        case("a hole declared again", 4, sha256s[3:5], 4, (2, 3, digests[3])),
        case("a hole that ends elsewhere", 6, sha256s[5:6], 3, (4, 4, digests[4])),
        case("a hole with another digest", 6, sha256s[5:6], 3, (4, 5, other)),
        case("a hole that ends before it begins", 6, sha256s[5:6], 3, (6, 5, digests[5])),
        case("a run that begins inside a hole", 3, sha256s[2:5], 4, None),
        case("a run that contradicts behind a hole", 3, [sha256s[2], other], 4, None),
        case("a run that contradicts a hole's end", 3, [other], 4, None),
        case("a run over a hole", 2, sha256s[1:5], 4, None),
        case("a head inside a hole", 3, [], 4, None),
        case("nothing, at a hole's end", 4, [], 4, None),
    ]


def placement_of(case: dict[str, Any]) -> dict[str, Any]:
    """Return how a case's run meets the journal, as JSON values."""
    pushed, head = Pushed(**case["pushed"]), JournalHead(**case["journal_head"])
    stored = {int(seq): digest for seq, digest in case["stored"].items()}
    hole = Hole(**case["hole"]) if case.get("hole") is not None else None
    lost = [Hole(**gone) for gone in case.get("lost", [])]
    match place(pushed, head, case["acked_seq"], stored, hole, lost):
        case Append(replayed, digests, accepted):
            taken = {} if accepted is None else {"hole": asdict(accepted)}
            return {"is": "append", "replayed": replayed, "digests": list(digests), **taken}
        case Gap(expected_seq):
            return {"is": "gap", "expected_seq": expected_seq}
        case Fork(seq):
            return {"is": "fork", "seq": seq}
        case HeadMismatch():
            return {"is": "head_mismatch"}
        case _:
            return {"is": "hole_mismatch"}


def clock_cases() -> list[dict[str, Any]]:
    """Captures, marks of earlier syncs, and the interval that they prove."""

    def at(hours: float) -> int:
        return START_MS + int(hours * _HOUR_MS)

    def reading(wall_h: float, boot: str, monotonic_h: float) -> dict[str, Any]:
        return {"wall_ms": at(wall_h), "boot": boot, "monotonic_ms": int(monotonic_h * _HOUR_MS)}

    def mark(server_h: float, boot: str, monotonic_h: float, head_seq: int | None = None) -> dict[str, Any]:
        return {
            "server_ms": at(server_h),
            "boot": boot,
            "monotonic_ms": int(monotonic_h * _HOUR_MS),
            "head_seq": head_seq,
        }

    last = mark(10, "a", 10)
    cases: list[tuple[str, dict[str, Any], int, list[dict[str, Any]], dict[str, Any]]] = [
        ("same boot, no mark before", reading(5, "a", 5), 1, [], last),
        ("same boot, marks on both sides", reading(5, "a", 5), 9, [mark(2, "a", 2), mark(7, "a", 7)], last),
        ("another boot, no mark", reading(5, "b", 1), 1, [], last),
        (
            "another boot, bounded by position",
            reading(5, "b", 1),
            4,
            [mark(2, "a", 2, 3), mark(7, "a", 7, 6)],
            last,
        ),
        ("a wall clock two days ahead", reading(53, "a", 5), 9, [mark(2, "a", 2)], last),
        ("a wall clock of 1970", {**reading(0, "a", 5), "wall_ms": 0}, 9, [mark(2, "a", 2)], last),
        ("marks of a predecessor", reading(5, "a", 5), 1, [mark(2, "a", 2), mark(4, "a", 4)], last),
        ("a monotonic clock that was turned back", reading(5, "a", 1), 9, [mark(2, "a", 2, 8)], last),
        ("a monotonic clock ahead of this sync", reading(5, "a", 30), 9, [mark(2, "a", 2)], last),
        ("an arrival before the enrolment", reading(5, "b", 5), 1, [], mark(-30, "a", 1)),
        ("around midnight", reading(-7.01, "b", 1), 1, [mark(-8, "a", 1, 0)], mark(10, "a", 19)),
    ]
    shown = [
        {
            "name": name,
            "captured": captured,
            "seq": seq,
            "marks": marks,
            "this_sync": this_sync,
            "enrolled_ms": at(-24),
            "offset_minutes": _OFFSET_MINUTES,
        }
        for name, captured, seq, marks, this_sync in cases
    ]
    # The tablet could show an acknowledgement that was forgotten: it had arrived three hours before.
    again = {**shown[2], "name": "another boot, arrived before a restore", "received_ms": at(7)}
    return [{**case, **corrected_of(case)} for case in [*shown, again]]


def corrected_of(case: dict[str, Any]) -> dict[str, Any]:
    """Return the corrected time and the business day of a case, as JSON values."""
    captured = ClockReading(**case["captured"])
    marks = [ClockMark(**mark) for mark in case["marks"]]
    this_sync = ClockMark(**case["this_sync"])
    received_ms = case.get("received_ms")
    corrected = correct_time(captured, case["seq"], marks, this_sync, case["enrolled_ms"], received_ms)
    zone = timezone(timedelta(minutes=case["offset_minutes"]))
    day = business_day(captured, corrected, zone)
    return {"corrected": corrected._asdict(), "business_day": day.isoformat()}


def merge_cases() -> list[dict[str, Any]]:
    """Edits of a record, in the order of application, and one more on a base."""
    blank: dict[str, Any] = {"rank_ms": 0, "depth": 0}
    first = {"entry_id": "e1", "fields": {"name": "A", "phone": "1"}, **blank}

    def edit(entry_id: str, rank_ms: int, depth: int, **fields: str) -> dict[str, Any]:
        return {"entry_id": entry_id, "fields": fields, "rank_ms": rank_ms, "depth": depth}

    cases: list[tuple[str, list[dict[str, Any]], str, int, dict[str, str]]] = [
        ("in sight of everything", [first, edit("e2", 10, 1, name="B")], "e2", 20, {"name": "C"}),
        ("another field", [first, edit("e2", 10, 1, name="B")], "e1", 20, {"phone": "2"}),
        ("the same value", [first, edit("e2", 10, 1, name="B")], "e1", 20, {"name": "B"}),
        ("another value, captured later", [first, edit("e2", 10, 1, name="B")], "e1", 20, {"name": "C"}),
        ("another value, captured before", [first, edit("e2", 30, 1, name="B")], "e1", 20, {"name": "C"}),
        (
            "the latest rival agrees",
            [first, edit("e2", 10, 1, name="B"), edit("e3", 11, 2, name="C")],
            "e1",
            20,
            {"name": "C"},
        ),
        (
            "two fields, one in dispute",
            [first, edit("e2", 10, 1, name="B", phone="3")],
            "e1",
            20,
            {"name": "C", "phone": "3"},
        ),
        ("a clock behind that of its base", [first, edit("e2", 30, 1, name="B")], "e2", 20, {"name": "C"}),
    ]
    shown = [
        {"name": name, "log": log, "base": base, "entry_id": "e9", "upper_ms": upper_ms, "fields": fields}
        for name, log, base, upper_ms, fields in cases
    ]
    return [{**case, **merged_of(case)} for case in shown]


def merged_of(case: dict[str, Any]) -> dict[str, Any]:
    """Return a case's conflicts, the edit's rank, and the fields whose value stands."""
    log = [LoggedEdit(**logged) for logged in case["log"]]
    edit = ranked(log, case["base"], case["entry_id"], case["upper_ms"], case["fields"])
    found = conflicts(log, case["base"], case["fields"])
    return {
        "conflicts": [asdict(conflict) for conflict in found],
        "rank_ms": edit.rank_ms,
        "depth": edit.depth,
        "standing": sorted(standing_fields(log, edit)),
    }


def feed_vectors() -> dict[str, Any]:
    """Row hashes and the sum of a scope as rows come and go."""
    rows = [
        {"type": "household", "id": _ID, "version": 1, "wire": '{"head_name":"Lê Văn Thử"}'},
        {"type": "household", "id": _ID, "version": 2, "wire": '{"head_name":"Lê Thị Thử"}'},
        {"type": "outcome", "id": _ID, "version": 1, "wire": '{"state":"held"}'},
    ]
    hashes = [row_hash(row["type"], row["id"], row["version"], row["wire"]) for row in rows]  # type: ignore[arg-type]
    steps = [
        {"added": hashes[:1], "removed": []},
        {"added": [hashes[1]], "removed": [hashes[0]]},
        {"added": [hashes[2], "ffffffffffffffff"], "removed": []},
        {"added": [], "removed": [hashes[1], hashes[2], "ffffffffffffffff"]},
    ]
    total = EMPTY_SUM
    for step in steps:
        total = sum_changed(total, added=step["added"], removed=step["removed"])
        step["sum"] = total  # type: ignore[assignment]
    rows_shown = [{**row, "row_hash": digest} for row, digest in zip(rows, hashes, strict=True)]
    return {"rows": rows_shown, "empty": EMPTY_SUM, "steps": steps}


def name_cases() -> list[dict[str, Any]]:
    """Names as they are searched and as receipts show them; numbers as they travel."""
    names = ["Nguyễn Thị Thử", "ĐỖ Văn  Đạo", "  lê  thử ", "H'Thử Êban", "Ka Thử", "Ẩn Ửng", "李 四", ""]
    numbers = ["999000000001", "9990000001", "+99900000001", "9990", "9", ""]
    return [{"name": name, "search_key": search_key(name), "initials": initials(name)} for name in names] + [
        {"number": number, "masked": masked(number)} for number in numbers
    ]
