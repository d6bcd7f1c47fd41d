"""Installations that a restored database forgot come back by their enrolment certificate.

The office signed it, and the device signs its requests with the key that it names: nothing else is
needed to know number, worker and predecessor again (docs/protocol.md, rule 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update

from schemas.signatures import CERTIFICATE_CONTEXT, PublicKey, from_base64url, statement_content
from server.audit.changes import Change
from server.audit.desk_journal import newest_desk_ms
from server.bulk_rows import insert_missing
from server.devices.actions import insert_installation
from server.devices.models import Installation, InstallationCounter
from server.devices.queries import InstallationView, installation_by_id
from server.devices.rules import InstallationState

# Without the desk journal nobody knows which numbers were given: so many are left out, and one more for
# each second since the office last wrote to it.
NUMBERS_LEFT_OUT = 10_000
_INSTALLATION = Installation.__table__


def certified(office_key: PublicKey, certificate: Mapping[str, str] | None) -> dict[str, Any] | None:
    """Return what the office certified, or None where this office key did not sign it."""
    if certificate is None:
        return None
    return statement_content(office_key, CERTIFICATE_CONTEXT, dict(certificate))


def certified_key(content: Mapping[str, Any]) -> PublicKey:
    """Return the key that a certificate names."""
    return PublicKey(from_base64url(content["public_key"]))


def readmit_installation(
    change: Change, content: Mapping[str, Any], certificate: Mapping[str, str]
) -> InstallationView | None:
    """Let an installation be known again, with an empty journal; None where it cannot be.

    It cannot where its number or its key's id has been given to another one since. One that has been
    replaced is superseded at once, and one that it replaces is.
    """
    known = installation_by_id(change.connection, content["installation"], is_locking=True)
    if known is not None:
        return known
    change.flush()
    raise_counter(change, content["number"])
    column = _INSTALLATION.c
    taken = select(column.id).where(or_(column.number == content["number"], column.kid == content["kid"]))
    if change.connection.execute(taken).first() is not None:
        return None
    is_replaced = select(column.id).where(column.predecessor_id == content["installation"])
    is_superseded = change.connection.execute(is_replaced).first() is not None
    state = InstallationState.SUPERSEDED if is_superseded else InstallationState.ACTIVE
    insert_installation(change, content, certificate, state)
    if content["predecessor"] is not None:
        supersede(change, content["predecessor"])
    change.audit("installation_readmitted", content["installation"], number=content["number"])
    change.flush()
    return installation_by_id(change.connection, content["installation"], is_locking=True)


def readmit_shown(
    change: Change, content: Mapping[str, Any], certificate: Mapping[str, str]
) -> InstallationView | None:
    """Let an installation that shows its certificate be known again, also after the next restore.

    The desk journal, which has forgotten it, learns of it: its number is never given again.
    """
    known = installation_by_id(change.connection, content["installation"])
    if known is not None:
        return known
    found = readmit_installation(change, content, certificate)
    if found is not None:
        change.desk("installation_enrolled", certificate=dict(certificate))
    return found


def supersede(change: Change, installation_id: str) -> None:
    """Let an installation be replaced; a revoked one stays revoked."""
    change.connection.execute(
        update(Installation)
        .where(_INSTALLATION.c.id == installation_id, _INSTALLATION.c.state != InstallationState.REVOKED)
        .values(state=str(InstallationState.SUPERSEDED))
    )


def leave_numbers_out(change: Change) -> None:
    """Leave out many numbers, because nobody knows which were given; a restore leaves them out too."""
    skip_unknown_numbers(change)
    last_number = change.connection.scalar(select(InstallationCounter.__table__.c.last_number))
    change.desk("numbers_left_out", last_number=last_number)
    change.audit("numbers_left_out", "installations", last_number=last_number)


def skip_unknown_numbers(change: Change) -> None:
    """Give none of the numbers that may have been given since the database's last desk record.

    Whoever restores the same backup twice, having lost the desk journal each time, lands at another
    number: no office enrols a tablet every second.
    """
    known_ms = newest_desk_ms(change.connection)
    seconds = 0 if known_ms is None else max(change.now_ms - known_ms, 0) // 1000
    raise_counter(change, 0)
    counter = InstallationCounter.__table__
    change.connection.execute(
        update(InstallationCounter)
        .where(counter.c.id == 1)
        .values(last_number=counter.c.last_number + NUMBERS_LEFT_OUT + seconds)
    )


def raise_counter(change: Change, number: int) -> None:
    """Never give a number again that has been given: the next one is above `number`."""
    counter = InstallationCounter.__table__
    insert_missing(change.connection, counter, [{"id": 1, "last_number": 0}], ["id"])
    change.connection.execute(
        update(InstallationCounter)
        .where(counter.c.id == 1, counter.c.last_number < number)
        .values(last_number=number)
    )
