"""Scheduled work of the public ledger: the roots checked, then those of the days that are over signed."""

from __future__ import annotations

from server.audit.desk_journal import DeskJournalError, read_desk_file
from server.public_ledger.roots import root_findings, seal_days
from server.runtime import Runtime


def check_roots(runtime: Runtime) -> list[str]:
    """Compare the ledger and its roots with what was signed and filed; return a line a finding."""
    path = runtime.transactions.desk_journal
    try:
        filed = None if path is None else list(read_desk_file(path))
    except DeskJournalError as error:
        return [str(error)]
    with runtime.transactions.reading() as connection:
        return root_findings(connection, runtime.config.office_key.public, filed, runtime.config.time_zone)


def seal_days_nightly(runtime: Runtime) -> list[str]:
    """Check what was signed, then sign the days that are over; return what the check found."""
    findings = check_roots(runtime)
    seal_days(runtime)
    return findings
