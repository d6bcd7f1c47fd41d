"""What a decision of the office needs beside the change it belongs to, and the lock that it takes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo

from schemas.signatures import PrivateKey, to_base64url
from server.audit.changes import Change
from server.funds.office_queries import FundState, fund_by_number
from server.funds.refusals import FundRefusal, FundRefusedError
from server.journals.actions import lock_names
from server.runtime import Runtime
from server.sealing import Sealer
from sync.clock import local_day
from sync.ports import IdSource

_LEAST_REASON, _MOST_REASON = 5, 500


@dataclass(frozen=True, slots=True)
class FundDesk:
    """Ids, the office's time zone, what seals, and the office's key for receipts."""

    ids: IdSource
    zone: tzinfo
    sealer: Sealer
    key: PrivateKey

    @classmethod
    def of(cls, runtime: Runtime) -> FundDesk:
        """Return the desk of a running server."""
        return cls(runtime.ids, runtime.config.time_zone, runtime.sealer, runtime.config.office_key)

    def day(self, change: Change) -> date:
        """Return the day of a change."""
        return local_day(change.now_ms, self.zone)

    def sealed(self, value: str | None, place: str, row: str) -> str | None:
        """Return a value sealed as text, None for None."""
        return None if value is None else to_base64url(self.sealer.seal(value, place, row))


def locked_fund(change: Change, number: int) -> FundState:
    """Lock a fund's money until the change ends, and return the fund. Raises FundRefusedError.

    Whatever promises money locks first and reads after, so that two decisions about the last đồng
    stand one behind the other. What the change has buffered is written, so that its reads see it.
    """
    change.flush()
    lock_names(change.connection, [f"fund:{number}"])
    fund = fund_by_number(change.connection, number)
    if fund is None:
        raise FundRefusedError(FundRefusal.FUND_UNKNOWN)
    return fund


def require_second(change: Change, proposed_by: str) -> None:
    """Refuse who proposed something to approve it too. Raises FundRefusedError."""
    if change.actor.chain == proposed_by:
        raise FundRefusedError(FundRefusal.SECOND_PERSON_NEEDED)


def checked_reason(reason: str | None) -> str:
    """Return a reason that says something. Raises FundRefusedError."""
    text = " ".join((reason or "").split())
    if not _LEAST_REASON <= len(text) <= _MOST_REASON:
        raise FundRefusedError(FundRefusal.REASON_MISSING)
    return text
