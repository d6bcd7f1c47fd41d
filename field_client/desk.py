"""What the desk client's commands share: opening the home, saying errors, showing what waits."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from field_client.client import FieldClient, clock_of_environment
from field_client.damage import Loss, is_damaged_by, set_aside
from field_client.delivery import DeviceCopiedError, NotAcknowledgedError
from field_client.enrolment import AlreadyEnrolledError, CodeMalformedError, OtherWorkerError
from field_client.exchange import RefusedError, ServerBusyError
from field_client.identity import NotEnrolledError, StoppedByDamageError
from field_client.outbox import CaptureRefusedError, OwnEntry
from field_client.projection import ReturnedEntry
from field_client.receipts import CapReachedError, CapState, IssuedReceipt
from field_client.sealing import KeyFileError, SealBrokenError
from field_client.session import NoProgressError, SyncReport, SyncRunningError
from field_client.store import NoSpaceError, StoreError, require_space
from field_client.texts import amount_text, kind_name, say
from field_client.transport import AddressRefusedError, LineDownError, NotOurServerError
from schemas.messages import message
from schemas.rates import RateFault
from schemas.receipt_qr import receipt_matrix, terminal_text

# The errors whose one sentence says everything.
_SENTENCES: dict[type[Exception], str] = {
    NotEnrolledError: "not_enrolled",
    AlreadyEnrolledError: "already_enrolled",
    OtherWorkerError: "other_worker",
    CodeMalformedError: "code_malformed",
    AddressRefusedError: "address_refused",
    DeviceCopiedError: "stopped",
    LineDownError: "offline",
    NotOurServerError: "not_our_server",
    NotAcknowledgedError: "not_our_server",
    ServerBusyError: "server_busy",
    NoProgressError: "no_progress",
    SyncRunningError: "sync_running",
}


@dataclass
class Desk:
    """What every command gets: where the home is, the language, how to open it, where to print."""

    home: Path
    language: str
    opener: Callable[[Path], FieldClient]
    console: Console

    def say(self, key: str, **values: object) -> None:
        """Print one text."""
        text = say(key, self.language, **values)
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def open(self) -> Iterator[FieldClient]:
        """Open the client; say an expected error in one sentence and exit with 1."""
        try:
            with self.opener(self.home) as client:
                try:
                    yield client
                except StoppedByDamageError:
                    self.say_damage(client.loss())
                    sys.exit(1)
        except tuple(_SENTENCES) as error:
            self.give_up(_SENTENCES[type(error)])
        except CaptureRefusedError as error:
            reason = message(error.fault.code, self.language)
            self.give_up("refused", reason=reason, field=error.fault.field or "-")
        except RefusedError as error:
            self.give_up("server_refused", reason=message(error.code, self.language))
        except (StoreError, KeyFileError, SealBrokenError, sqlite3.DatabaseError) as error:
            if is_damaged_by(error, self.home):
                self._set_aside()
            if isinstance(error, sqlite3.DatabaseError):
                raise
            self.give_up("store_unusable", reason=error)

    def _set_aside(self) -> NoReturn:
        """Put a fresh database in the place of a damaged one, say what became of it, and exit with 1."""
        try:
            self.say_damage(set_aside(self.home, clock_of_environment()))
        except (OSError, StoreError, sqlite3.DatabaseError) as error:
            self.give_up("store_unusable", reason=error)
        sys.exit(1)

    def say_damage(self, loss: Loss | None) -> None:
        """Say what a damaged database came to, and how to go on."""
        if loss is None:
            return
        key = "store_damaged" if loss.is_known else "store_lost"
        self.say(key, file=self.home / loss.file, saved=loss.saved, missing=loss.missing)

    def require_space(self) -> None:
        """Exit with 1 where the disk is too full for a new form."""
        try:
            require_space(self.home)
        except NoSpaceError:
            self.give_up("no_space")

    def open_collection(self, client: FieldClient, *, already_taken: bool) -> None:
        """Say how near the offline cap is; exit with 1 where it is reached and the money not taken yet."""
        standing = client.receipts.cap_standing()
        counted = {"count": standing.receipts, "amount": amount_text(standing.amount_vnd)}
        if not already_taken:
            self.require_space()
            try:
                client.receipts.require_room()
            except CapReachedError:
                self.give_up("cap_reached", **counted)
        if standing.state == CapState.WARNED:
            self.say("cap_warned", **counted)

    def found(self, client: FieldClient, record_type: str, text: str) -> str:
        """Return the id that `text` begins or ends; exit with 1 when there is not exactly one."""
        record_id = client.projection.resolve(record_type, text)
        if record_id is None:
            self.give_up("not_found", what=text)
        return record_id

    def due(self, client: FieldClient, members: Mapping[str, Any]) -> int:
        """Return what is due for an enrolment: as given, else by the rate tables; exit with 1 without one.

        An amount that differs from the tables is taken as it is, with a word about it.
        """
        given = members["amount_due_vnd"]
        quote = client.quote(members)
        if isinstance(quote, RateFault):
            if given is None:
                self.give_up("no_quote", reason=message(quote.code, self.language), field=quote.field)
            return int(given)
        for code in quote.warnings:
            self.say("quote_warning", reason=message(code, self.language))
        if given is not None and given != quote.due_vnd:
            self.say("quote_differs", amount=amount_text(quote.due_vnd))
        return quote.due_vnd if given is None else int(given)

    def give_up(self, key: str, **values: object) -> NoReturn:
        """Print one text and exit with 1."""
        self.say(key, **values)
        sys.exit(1)


def show_receipt(desk: Desk, client: FieldClient, issued: IssuedReceipt) -> None:
    """Print a receipt's QR code and address."""
    url = client.identities.current().receipt_url
    # Not through rich, which would wrap the code in a narrow terminal and fold its colours.
    desk.console.file.write(terminal_text(receipt_matrix(url, issued.token)) + "\n")
    desk.console.print(url + issued.token, highlight=False, markup=False, soft_wrap=True)


def show_report(desk: Desk, report: SyncReport) -> None:
    """Print what a sync came to; never "synced" when something waits for a person."""
    if report.is_clean:
        desk.say("synced")
    if report.unsent:
        desk.say("not_synced", count=report.unsent)
    if report.quarantined:
        desk.say("needs_person", count=report.quarantined)
    if report.differing_scopes:
        desk.say("sums_differ", count=len(report.differing_scopes))


def show_returned(desk: Desk, entries: list[ReturnedEntry]) -> None:
    """Print entries that were sent back, each with what is wrong and what the office says."""
    for each in entries:
        show_waiting(desk, [each.entry])
        text = say("returned_because", desk.language, reason=each.reason)
        desk.console.print(f"    {text}", highlight=False, markup=False, soft_wrap=True)
        if each.name != each.entry.entry_id:
            desk.console.print(f"    {each.name}", highlight=False, markup=False, soft_wrap=True)


def show_waiting(desk: Desk, entries: list[OwnEntry]) -> None:
    """Print entries that wait, each with its readable reason; never a value of theirs."""
    for entry in entries:
        parts = [say(f"state_{entry.state}", desk.language), kind_name(entry.kind, desk.language)]
        if entry.code is not None:
            where = "" if entry.field is None else f" ({entry.field})"
            parts.append(message(entry.code, desk.language) + where)
        desk.console.print(f"  {' · '.join(parts)}", highlight=False, markup=False, soft_wrap=True)
        desk.console.print(f"    {entry.entry_id}", highlight=False, markup=False, soft_wrap=True)
