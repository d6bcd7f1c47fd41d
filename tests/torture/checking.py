"""What must hold of an office whatever was done to its processes, read with plain SQL."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import create_engine, text

from sync.journal import entry_sha256
from tests.torture.stage import Stage
from tests.torture.witness import Testimony, unexpected_lines

# Each kind and the table that has exactly one row for each entry of it that took effect.
_EFFECTS = {
    "household_registered": "SELECT id FROM household",
    "person_registered": "SELECT id FROM person",
    "visit_recorded": "SELECT entry_id FROM visit",
    "enrolment_recorded": "SELECT entry_id FROM enrolment",
    "payment_collected": "SELECT entry_id FROM payment",
    "receipt_issued": "SELECT entry_id FROM receipt",
}
_IN_EFFECT = ("applied", "merged")


@dataclass
class Found:
    """What a check came to; the texts say what is wrong."""

    acknowledged: int = 0
    undeclared: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def check(stage: Stage, url: str | None = None, *, is_thorough: bool = True) -> Found:
    """Hold the database (or another one) against the witnesses. Thorough: derive the quotas again, too."""
    testimony = stage.testimony()
    engine = create_engine(url or stage.url)
    try:
        with engine.connect() as connection:
            ask = lambda statement: [tuple(row) for row in connection.execute(text(statement))]  # noqa: E731
            found = _held_against(testimony, ask)
    finally:
        engine.dispose()
    found.undeclared = testimony.undeclared
    found.wrong += testimony.faults + testimony.heads_are_own()
    found.wrong += [f"in the server's log: {line}" for line in unexpected_lines(stage.log)]
    if is_thorough:
        verified = stage.run("quotas", "verify")
        if verified.returncode != 0 or "No difference" not in verified.stdout:
            found.wrong.append(f"quotas verify: {verified.stdout[-300:]}{verified.stderr[-300:]}")
    return found


def _held_against(testimony: Testimony, ask: Any) -> Found:
    found = Found(acknowledged=testimony.acknowledged)
    stored = {
        (installation, seq): (entry_id, sha256, verdict, code)
        for installation, seq, entry_id, sha256, verdict, code in ask(
            "SELECT installation_id, seq, entry_id, sha256, verdict, code FROM entry"
        )
    }
    for installation, last in testimony.acked.items():
        for seq in range(1, last + 1):
            raw, kept = testimony.sent.get((installation, seq)), stored.get((installation, seq))
            if kept is None or raw is None or kept[1] != entry_sha256(raw):
                found.lost.append(f"{installation} {seq}")
    for place, told in testimony.verdicts.items():
        kept = stored.get(place)
        if kept is None or told != {(kept[2], kept[3])}:
            found.wrong.append(f"{place}: was told {sorted(map(str, told))}, stored {kept}")
    _check_effects(testimony, stored, ask, found)
    _check_money(testimony, stored, ask, found)
    for installation, acked, count in ask(
        "SELECT id, acked_seq, (SELECT count(*) FROM entry WHERE installation_id = installation.id) "
        "FROM installation"
    ):
        if acked != count:
            found.wrong.append(f"{installation}: {acked} acknowledged, {count} stored: part of a batch")
    found.wrong += [f"an incident: {kind}" for (kind,) in ask("SELECT kind FROM incident")]
    return found


def _check_effects(testimony: Testimony, stored: dict[Any, Any], ask: Any, found: Found) -> None:
    """Every entry in effect has one effect, and nothing else has any."""
    states: dict[str, str] = {}
    for entry_id, state in ask("SELECT entry_id, state FROM outcome"):
        if entry_id in states:
            found.doubled.append(f"{entry_id}: two outcomes")
        states[entry_id] = state
    expected: dict[str, set[str]] = defaultdict(set)
    first_verdicts = Counter(kept[0] for kept in stored.values() if kept[2] != "duplicate")
    found.doubled += [f"{entry_id}: judged {n} times" for entry_id, n in first_verdicts.items() if n > 1]
    for place, kept in stored.items():
        raw = testimony.sent.get(place)
        if raw is None:
            found.wrong.append(f"{place}: stored, and nobody sent it")
            continue
        content = json.loads(raw)
        if states.get(kept[0]) in _IN_EFFECT:
            expected[content["kind"]].add(content["id"])
    for kind, statement in _EFFECTS.items():
        rows = Counter(row[0] for row in ask(statement))
        found.doubled += [f"{kind} {entry_id}: {n} effects" for entry_id, n in rows.items() if n > 1]
        missing, more = expected[kind] - rows.keys(), rows.keys() - expected[kind]
        found.wrong += [f"{kind} {entry_id}: in effect without an effect" for entry_id in sorted(missing)]
        found.doubled += [f"{kind} {entry_id}: an effect of nothing" for entry_id in sorted(more)]


def _check_money(testimony: Testimony, stored: dict[Any, Any], ask: Any, found: Found) -> None:
    """Debits are credits, and cash in hand is what the tablets' own entries add up to."""
    debits, credits_ = ask(
        "SELECT coalesce(sum(debit_vnd), 0), coalesce(sum(credit_vnd), 0) FROM ledger_line"
    )[0]
    if debits != credits_:
        found.wrong.append(f"{debits} debits, {credits_} credits")
    taken: dict[str, int] = {}
    for place in stored:
        content = json.loads(testimony.sent.get(place, "{}"))
        if content.get("kind") == "payment_collected":
            taken[content["id"]] = sum(item["amount_vnd"] for item in content["body"]["allocations"])
    held = ask(
        "SELECT coalesce(sum(debit_vnd), 0) - coalesce(sum(credit_vnd), 0) FROM ledger_line "
        "WHERE account LIKE 'cash_in_hand:%'"
    )[0][0]
    if held > sum(taken.values()):
        found.doubled.append(f"{held} đồng in hand, {sum(taken.values())} taken")
    elif held != sum(taken.values()):
        found.wrong.append(f"{held} đồng in hand, {sum(taken.values())} taken")
    with_receipt = set()
    for place in stored:
        content = json.loads(testimony.sent.get(place, "{}"))
        if content.get("kind") == "receipt_issued":
            with_receipt.add(content["body"]["payment"])
    receipts = Counter(row[0] for row in ask("SELECT payment_id FROM receipt WHERE state = 'reconciled'"))
    wrong = [payment for payment in with_receipt | receipts.keys() if receipts[payment] != 1]
    found.wrong += [f"payment {payment} with {receipts[payment]} reconciled receipts" for payment in wrong]
