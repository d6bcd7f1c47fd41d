"""Everything one push may read and change: a change of state and a workspace per feature."""

from __future__ import annotations

from collections.abc import Sequence

from server.audit.changes import Change
from server.devices.queries import DeviceKey, key_chain_of
from server.exchange.intake import Candidate
from server.funds.workspace import FundsWorkspace
from server.journals.queries import KnownEntry
from server.money.workspace import MoneyWorkspace
from server.outreach.workspace import OutreachWorkspace
from server.people.workspace import PeopleWorkspace
from server.quotas.workspace import QuotaWorkspace
from server.receipts.workspace import ReceiptsWorkspace
from server.runtime import Runtime
from sync.entry import Fault


class _KeyChains:
    """Keys by installation; apart from the batch, so that nothing in a batch refers back to it.

    A circle would keep everything that a push has read until the garbage collector walks it all.
    """

    def __init__(self, change: Change) -> None:
        self._change = change
        self._found: dict[str, list[DeviceKey]] = {}

    def of(self, installation_id: str) -> Sequence[DeviceKey]:
        """Return the keys of an installation and its predecessors."""
        if installation_id not in self._found:
            self._found[installation_id] = key_chain_of(self._change.connection, installation_id)
        return self._found[installation_id]


class Batch:
    """The workspaces of one push, and what is known of every entry id that it touches."""

    def __init__(self, runtime: Runtime, change: Change) -> None:
        self.change = change
        self.known: dict[str, KnownEntry] = {}
        self.texts: dict[str, str] = {}
        # What quarantined entries would be with the bodies that the office gives them, by entry id.
        self.corrections: dict[str, Candidate | Fault] = {}
        # The records that entries to be undone have merged into others: type and id, by entry id.
        self.merged: dict[str, tuple[str, str]] = {}
        self.people = PeopleWorkspace(change, runtime.sealer)
        self.quotas = QuotaWorkspace(change, runtime.config.time_zone)
        self.money = MoneyWorkspace(change)
        self.receipts = ReceiptsWorkspace(change, self.money, self.texts.get, _KeyChains(change).of)
        self.outreach = OutreachWorkspace(change)
        self.funds = FundsWorkspace(change, runtime.sealer, runtime.ids, self.known.get)

    def kind_of(self, entry_id: str) -> str | None:
        """Return the kind of an entry that has been seen."""
        known = self.known.get(entry_id)
        return None if known is None else known.kind

    def finish(self) -> None:
        """Let every workspace write what it holds back until the end; progress rows come last."""
        self.people.finish()
        self.outreach.finish()
        self.funds.finish()
        self.money.finish()
        self.receipts.finish()
        self.quotas.finish()

    def area_of(self, candidate: Candidate) -> str | None:
        """Return the area that the entry is about, where it is about one."""
        body = candidate.body
        match candidate.kind.name:
            case "household_registered":
                return str(body["area"])
            case "visit_recorded" | "vssid_installed" | "enrolment_recorded" | "donation_received":
                return str(body["area"])
            case "person_registered" if body["household"] is None:
                return str(body["area"])
            case "person_registered" | "household_amended":
                return self.people.area_of_household(body["household"])
            case "person_amended" | "consent_recorded" | "beneficiary_nominated" | "card_handed_over":
                return self.people.area_of_person(body["person"])
        return None
