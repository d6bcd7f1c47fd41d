"""`tungnha` with one safeguard taken away: proof that the demo would notice.

Run as a program: the name of the safeguard, then `tungnha`'s own arguments. Nothing in the server
knows of it; everything here replaces functions of one process.
"""

from __future__ import annotations

import importlib
import os
import re
import sqlite3
import sys
import uuid
from contextlib import closing
from dataclasses import replace

import msgspec

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def ignore_stored_verdicts() -> None:
    """A replay is judged anew, so that a second answer contradicts the first."""
    pushing = importlib.import_module("server.exchange.pushing")
    verdicts = importlib.import_module("sync.verdict")
    codes = importlib.import_module("sync.codes")
    stored_verdicts = pushing.verdicts_between

    def judged_anew(*where):
        duplicate = {
            "decision": verdicts.Decision.DUPLICATE,
            "code": str(codes.EntryCode.ENTRY_ALREADY_RECEIVED),
        }
        return [stored._replace(**duplicate, field=None, flags=()) for stored in stored_verdicts(*where)]

    pushing.verdicts_between = judged_anew


def ignore_entry_ids() -> None:
    """What a new installation carries over is taken for new entries, with ids of their own."""
    pushing = importlib.import_module("server.exchange.pushing")
    prepare = pushing._prepare
    renamed: dict[tuple[str, str], str] = {}

    def prepare_as_new(runtime, shown):
        prepared = prepare(runtime, shown)
        if shown.predecessor_id is None:
            return prepared
        installation = shown.installation_id
        for item in prepared.incoming:
            fresh = uuid.uuid5(uuid.UUID(installation), item.shown_id)
            renamed.setdefault(
                (installation, item.shown_id), str(uuid.UUID(int=fresh.int & ~(0xF << 76) | 0x7 << 76))
            )

        def rename(found):
            return renamed.get((installation, found.group()), found.group())

        def as_new(item):
            other = pushing.read_incoming(item.seq, _ID.sub(rename, item.raw))
            return msgspec.structs.replace(other, raw=item.raw, sha256=item.sha256)

        return replace(prepared, incoming=[as_new(item) for item in prepared.incoming])

    pushing._prepare = prepare_as_new


def ignore_person_uniqueness() -> None:
    """Every record of a person is another person, whatever numbers they share."""
    rules = importlib.import_module("server.people.rules")
    rules.identity = lambda person_id, *_numbers: f"person:{person_id}"


def alter_lines_of_issued_cards() -> None:
    """Whoever can write to the database changes what issued cards cost, by a đồng, when it is posted."""
    path = os.environ["TUNGNHA_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER IF NOT EXISTS altered AFTER INSERT ON ledger_line "
            "WHEN NEW.step = 'issue' AND NEW.credit_vnd > 0 BEGIN "
            "UPDATE ledger_line SET credit_vnd = credit_vnd + 1 WHERE entry_id = NEW.entry_id "
            "AND step = NEW.step AND line_number = NEW.line_number; END"
        )
        connection.commit()


def count_door_donations_twice() -> None:
    """Money of a door is settled for twice what was given."""
    postings = importlib.import_module("server.funds.postings")
    settlement = postings.door_settlement

    def twice(worker_id, method, fund, bucket, amount_vnd):
        return settlement(worker_id, method, fund, bucket, 2 * amount_vnd)

    postings.door_settlement = twice


SABOTAGES = {
    "ledger_lines": alter_lines_of_issued_cards,
    "donations_once": count_door_donations_twice,
    "stored_verdicts": ignore_stored_verdicts,
    "entry_ids": ignore_entry_ids,
    "person_uniqueness": ignore_person_uniqueness,
}


if __name__ == "__main__":
    SABOTAGES[sys.argv.pop(1)]()
    importlib.import_module("server.cli").main()
