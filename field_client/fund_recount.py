"""An audit of a fund of its own: statements, the office's book and tablets, added up without the server.

`python -m field_client.fund_recount FOLDER HOME…` reads the input files of FOLDER and opens each home
with its key, and prints one JSON object. Knows the rules in plain words: a transfer counts once a line
of the statement shows it, cash of a door at once; an agent holds what is not known to have arrived,
oldest first; a card is paid from the bucket that the book names, at the price of the day.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from field_client.fund_book import Books
from field_client.recount import Recount

_TWENTY_DAYS = (date(2023, 3, 1), date(2023, 3, 20))
_NO_MONEY_MOVES = ("unknown", "nothing")


@dataclass
class Doors:
    """What the tablets hold of one fund; every entry once, in the order of capture."""

    donations: list[dict[str, Any]] = field(default_factory=list)
    remittances: list[dict[str, Any]] = field(default_factory=list)
    nominations: dict[str, dict[str, Any]] = field(default_factory=dict)
    handovers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    voided: int = 0

    @classmethod
    def of(cls, recount: Recount) -> Doors:
        """Gather them; what was voided or is quarantined is left out."""
        doors = cls()
        voids = {entry["body"]["target"] for _, entry in recount.of_kind("entry_voided")}
        for kind, put in (
            ("donation_received", doors.donations.append),
            ("cash_remitted", doors.remittances.append),
        ):
            for entry_id, entry in recount.of_kind(kind):
                if entry_id in voids:
                    doors.voided += 1
                elif entry["state"] != "quarantined":
                    put({**entry["body"], "agent": entry["agent"], "day": _local_day(entry)})
        for _, entry in recount.of_kind("beneficiary_nominated"):
            doors.nominations[entry["body"]["note"]] = entry
        for _, entry in recount.of_kind("card_handed_over"):
            doors.handovers[entry["body"]["note"]].append(entry["agent"])
        return doors


class FundRecount:
    """The fund by the input files and the tablets alone."""

    def __init__(self, folder: Path, recount: Recount) -> None:
        self._books = Books()
        self._books.read_statements(folder / "sao-ke")
        self._books.read_book(folder / "so-van-phong.csv")
        self._recount = recount
        self._doors = Doors.of(recount)
        self._planned = list(_planned(folder / "dai-ly"))
        for card in self._books.cards:
            if card.stage == "issued" and card.ref in self._doors.handovers:
                card.stage = "handed_over"

    def as_wire(self) -> dict[str, Any]:
        """Return all of it."""
        books, doors = self._books, self._doors
        received, by_class, by_bucket = self._received()
        returned = self._returned(by_bucket)
        for card in books.cards:
            if card.stage in ("approved", "issued", "handed_over", "returned"):
                by_bucket[card.bucket] -= card.issued_vnd or card.reserved_vnd
        in_hands = self._in_hands()
        spent_vnd = sum(card.issued_vnd for card in books.cards)
        reserved: Counter[str] = Counter()
        for card in books.cards:
            if card.stage == "approved":
                reserved[card.bucket] += card.reserved_vnd
        return {
            "bank_vnd": sum(amount_vnd for _, amount_vnd, _ in books.bank.values()),
            "statement_balance_vnd": books.last_balance_vnd(),
            "office_cash_vnd": self._office_cash(),
            "in_transit_vnd": sum(one["amount_vnd"] for one in doors.remittances) - self._arrived_vnd(),
            "unidentified_vnd": self._unidentified_vnd(),
            "due_insurer_vnd": spent_vnd + sum(amount for _, amount in books.lines_of("premium")),
            "refund_due_vnd": sum(amount for _, amount in books.refunds.values())
            + sum(amount for _, amount in books.lines_of("refund")),
            "claimed_vnd": _held(self._claimed()),
            "free_vnd": _held(by_bucket),
            "reserved_vnd": _held(reserved),
            "in_hands_vnd": _held(in_hands),
            "spendable_vnd": _spendable(by_bucket, in_hands),
            "received_vnd": dict(received),
            "by_class_vnd": dict(by_class),
            "twenty_days_vnd": dict(self._in_twenty_days()),
            "returned_vnd": returned,
            "promised_vnd": books.promised_vnd,
            "spent_vnd": spent_vnd,
            "cards": self._cards(),
            "stages": dict(Counter(card.stage for card in books.cards)),
            "handed_twice": sum(len(agents) > 1 for agents in doors.handovers.values()),
            "voided": doors.voided,
            "refused": dict(books.refused),
            "missing": self._missing(),
            "unsent": self._recount.unsent,
            "unjudged": self._recount.planted()["unjudged"],
            "quarantined": self._recount.planted()["quarantined"],
            "clashing": self._recount.as_wire()["clashing"],
        }

    def _gifts(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the office's donations that are money: cash, and transfers that a line shows."""
        shown = {target for target, _ in self._books.lines_of("office_donation")}
        for ref, gift in self._books.gifts.items():
            if ref not in self._books.reversed and (gift["action"] == "cash" or ref in shown):
                yield ref, gift

    def _received(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        """Return by channel, by class of donor, by bucket."""
        channels, classes, buckets = Counter[str](), Counter[str](), Counter[str]()
        for _, gift in self._gifts():
            amount_vnd = int(gift["amount_vnd"])
            channels[f"office_{gift['action']}"] += amount_vnd
            classes[gift["donor_class"]] += amount_vnd
            buckets[gift["bucket"]] += amount_vnd
        shown = {target for target, _ in self._books.lines_of("door_donation")}
        for one in self._doors.donations:
            if one["method"] == "cash" or one["note"] in shown:
                channels[f"door_{one['method']}"] += one["amount_vnd"]
                classes[one["donor_class"]] += one["amount_vnd"]
                buckets[_bucket(one)] += one["amount_vnd"]
        return channels, classes, buckets

    def _in_twenty_days(self) -> Counter[str]:
        """Return what staff and others gave through the office and the account in the twenty days."""
        found = Counter[str]()
        for _, gift in self._gifts():
            if _TWENTY_DAYS[0] <= self._given_on(gift) <= _TWENTY_DAYS[1]:
                who = "staff" if gift["donor_class"] == "staff" else "donors"
                found[who] += int(gift["amount_vnd"])
        return found

    def _given_on(self, gift: dict[str, str]) -> date:
        for reference, (kind, target) in self._books.matches.items():
            if kind == "office_donation" and target == gift["ref"]:
                return self._books.bank[reference][0]
        return date.fromisoformat(gift["day"])

    def _returned(self, by_bucket: Counter[str]) -> dict[str, int]:
        """Take what went back out of its buckets."""
        found = {"bounced": 0, "refunded": 0}
        for target, amount_vnd in self._books.lines_of("bounce"):
            by_bucket[self._books.gifts[target]["bucket"]] += amount_vnd
            found["bounced"] -= amount_vnd
        for target, amount_vnd in self._books.refunds.values():
            by_bucket[self._books.gifts[target]["bucket"]] -= amount_vnd
            found["refunded"] += amount_vnd
        return found

    def _arrived(self) -> set[str]:
        return self._books.confirmed | {target for target, _ in self._books.lines_of("remittance")}

    def _arrived_vnd(self) -> int:
        arrived = self._arrived()
        return sum(one["amount_vnd"] for one in self._doors.remittances if one["note"] in arrived)

    def _office_cash(self) -> int:
        cash = sum(int(gift["amount_vnd"]) for _, gift in self._gifts() if gift["action"] == "cash")
        confirmed = self._books.confirmed
        cash += sum(int(one["amount_vnd"]) for one in self._doors.remittances if one["note"] in confirmed)
        return cash - sum(amount_vnd for _, amount_vnd in self._books.lines_of("deposit"))

    def _unidentified_vnd(self) -> int:
        known = {ref for ref, (kind, _) in self._books.matches.items() if kind not in _NO_MONEY_MOVES}
        return sum(line[1] for reference, line in self._books.bank.items() if reference not in known)

    def _claimed(self) -> Counter[str]:
        shown = {target for target, _ in self._books.lines_of("door_donation")}
        found = Counter[str]()
        for one in self._doors.donations:
            if one["method"] == "transfer" and one["note"] not in shown:
                found[_bucket(one)] += one["amount_vnd"]
        return found

    def _in_hands(self) -> Counter[str]:
        """Return the cash that agents still hold: what they took, less what arrived, oldest first."""
        arrived, left = self._arrived(), Counter[str]()
        for one in self._doors.remittances:
            if one["note"] in arrived:
                left[one["agent"]] += one["amount_vnd"]
        found = Counter[str]()
        for one in self._doors.donations:
            if one["method"] == "cash":
                carried = min(one["amount_vnd"], left[one["agent"]])
                left[one["agent"]] -= carried
                found[_bucket(one)] += one["amount_vnd"] - carried
        return found

    def _cards(self) -> dict[str, int]:
        """Return "stage|months|pool|commune" → cards."""
        named = {row["ref"]: row for row in self._planned if row["what"] == "nomination"}
        found = Counter[str]()
        for card in self._books.cards:
            row = named[card.ref]
            found[f"{card.stage}|{card.months}|{row['pool']}|{row['area']}"] += 1
        return dict(sorted(found.items()))

    def _missing(self) -> list[str]:
        """Return what the agents' lists say and no tablet holds once, or holds otherwise."""
        held = Counter(one["note"] for one in (*self._doors.donations, *self._doors.remittances))
        held.update(list(self._doors.nominations))
        sums = {one["note"]: one["amount_vnd"] for one in (*self._doors.donations, *self._doors.remittances)}
        voided = {row["target"] for row in self._planned if row["what"] == "void"}
        found = []
        for row in self._planned:
            if row["what"] not in ("donation", "remittance", "nomination") or row["ref"] in voided:
                continue
            amount_vnd = int(row["amount_vnd"] or 0)
            if held[row["ref"]] != 1 or sums.get(row["ref"], 0) != amount_vnd:
                found.append(row["ref"])
        return found


def _planned(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.iterdir()):
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


def _local_day(entry: dict[str, Any]) -> date:
    # Việt Nam is seven hours ahead, all year.
    return date.fromordinal((entry["order"][0] // 1000 + 7 * 3600) // 86_400 + date(1970, 1, 1).toordinal())


def _bucket(donation: dict[str, Any]) -> str:
    restriction = donation.get("restriction")
    return "any" if restriction is None else f"{restriction['kind']}:{restriction['key']}"


def _held(sums: Counter[str]) -> dict[str, int]:
    return {bucket: amount_vnd for bucket, amount_vnd in sorted(sums.items()) if amount_vnd}


def _spendable(free: Counter[str], in_hands: Counter[str]) -> dict[str, int]:
    here = {bucket: free[bucket] - in_hands[bucket] for bucket in {*free, *in_hands}}
    whole = max(0, sum(here.values()))
    return _held(Counter({bucket: max(0, min(amount_vnd, whole)) for bucket, amount_vnd in here.items()}))


def main(folder: str, homes: Iterable[str]) -> None:
    """Print the recount of a folder and its tablets."""
    recount = Recount()
    for home in homes:
        recount.take_home(Path(home))
    sys.stdout.write(json.dumps(FundRecount(Path(folder), recount).as_wire()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
