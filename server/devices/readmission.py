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
from server.bulk_rows import insert_missing
from server.devices.actions import insert_installation
from server.devices.models import Installation, InstallationCounter
from server.devices.queries import InstallationView, installation_by_id
from server.devices.rules import InstallationState

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


def leave_numbers_out(change: Change, count: int) -> None:
    """Leave out so many numbers, because nobody knows which were given; a restore leaves them out too."""
    raise_counter(change, count, is_relative=True)
    last_number = change.connection.scalar(select(InstallationCounter.__table__.c.last_number))
    change.desk("numbers_left_out", last_number=last_number)
    change.audit("numbers_left_out", "installations", last_number=last_number)


def raise_counter(change: Change, number: int, *, is_relative: bool = False) -> None:
    """Never give a number again that has been given: the next one is above `number`.

    `is_relative`: nobody knows what was given, and that many are left out.
    """
    counter = InstallationCounter.__table__
    insert_missing(change.connection, counter, [{"id": 1, "last_number": 0}], ["id"])
    if is_relative:
        statement = update(InstallationCounter).where(counter.c.id == 1)
        change.connection.execute(statement.values(last_number=counter.c.last_number + number))
        return
    change.connection.execute(
        update(InstallationCounter)
        .where(counter.c.id == 1, counter.c.last_number < number)
        .values(last_number=number)
    )
