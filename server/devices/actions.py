"""Writes about installations: codes, enrolment, heartbeat, fencing, revocation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update

from schemas.signatures import (
    CERTIFICATE_CONTEXT,
    PrivateKey,
    PublicKey,
    from_base64url,
    new_secret,
    sign_statement,
    to_base64url,
)
from server.audit.actions import advance_epoch, enter_recovery
from server.audit.changes import Change
from server.audit.queries import current_epoch
from server.bulk_rows import insert_missing
from server.devices.models import (
    BackupMark,
    ClockMarkRow,
    EnrolmentCode,
    Installation,
    InstallationCounter,
    VerifiedBackup,
)
from server.devices.queries import (
    BackupView,
    InstallationView,
    code_row,
    installation_by_id,
    verified_backups,
)
from server.devices.rules import ENROLMENT_CODE_LIFE_MS, InstallationState
from server.errors import ProblemError
from sync.clock import ClockMark
from sync.codes import RequestCode
from sync.journal import genesis_digest
from sync.ports import IdSource
from sync.push import JournalHead

_INSTALLATION = Installation.__table__


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What enrolment gives to a device."""

    number: int
    worker_id: str
    certificate: dict[str, str]


def code_sha256(code: str) -> str:
    """Return under which key a one-time code is kept."""
    return hashlib.sha256(code.encode("ascii")).hexdigest()


def create_enrolment_code(change: Change, worker_id: str, created_by: str) -> str:
    """Return a fresh one-time code (160 bits) for a tablet of `worker_id`."""
    code = new_secret()
    change.insert(
        EnrolmentCode.__table__,
        code_sha256=code_sha256(code),
        worker_id=worker_id,
        created_by=created_by,
        expires_ms=change.now_ms + ENROLMENT_CODE_LIFE_MS,
        used_by=None,
    )
    change.audit("enrolment_code_created", worker_id, by=created_by)
    return code


def enrol_installation(
    change: Change,
    office_key: PrivateKey,
    *,
    installation_id: str,
    code: str,
    key: PublicKey,
    predecessor_id: str | None,
) -> Enrolled:
    """Register a key against a one-time code. The same request again gives the same answer.

    Raises ProblemError: enrolment_code_invalid, predecessor_mismatch, key_id_taken.
    """
    sha256 = code_sha256(code)
    row = code_row(change.connection, sha256)
    known = change.connection.execute(
        _INSTALLATION.select().where(_INSTALLATION.c.id == installation_id)
    ).one_or_none()
    if row is None:
        raise ProblemError(RequestCode.ENROLMENT_CODE_INVALID, field="code")
    if known is not None and row.used_by == installation_id and known.public_key == key.spki:
        change.audit("enrolment_repeated", installation_id)
        certificate = {
            "text": known.certificate_text,
            "kid": known.certificate_kid,
            "signature": known.certificate_signature,
        }
        return Enrolled(known.number, known.worker_id, certificate)
    if known is not None or row.used_by is not None or row.expires_ms < change.now_ms:
        raise ProblemError(RequestCode.ENROLMENT_CODE_INVALID, field="code")
    _refuse_taken_kid(change, key)
    _supersede(change, predecessor_id, row.worker_id)
    number = _next_number(change)
    content = {
        "installation": installation_id,
        "number": number,
        "worker": row.worker_id,
        "kid": key.kid,
        "public_key": to_base64url(key.spki),
        "enrolled_ms": change.now_ms,
        "predecessor": predecessor_id,
    }
    certificate = sign_statement(office_key, CERTIFICATE_CONTEXT, content)
    insert_installation(change, content, certificate, InstallationState.ACTIVE)
    change.update(EnrolmentCode.__table__, {"code_sha256": sha256}, used_by=installation_id)
    change.audit("installation_enrolled", installation_id, number=number, predecessor=predecessor_id)
    change.desk("installation_enrolled", certificate=certificate)
    return Enrolled(number, row.worker_id, certificate)


def insert_installation(
    change: Change, content: Mapping[str, Any], certificate: Mapping[str, str], state: InstallationState
) -> None:
    """Store an installation as its certificate names it, with an empty journal."""
    installation_id = content["installation"]
    change.insert(
        _INSTALLATION,
        id=installation_id,
        number=content["number"],
        worker_id=content["worker"],
        public_key=from_base64url(content["public_key"]),
        kid=content["kid"],
        certificate_text=certificate["text"],
        certificate_kid=certificate["kid"],
        certificate_signature=certificate["signature"],
        state=str(state),
        predecessor_id=content["predecessor"],
        enrolled_ms=content["enrolled_ms"],
        acked_seq=0,
        head_digest=genesis_digest(installation_id),
        last_valid_seq=None,
        last_valid_counter=None,
        journal_head_seq=0,
        journal_head_digest=genesis_digest(installation_id),
        last_sync_ms=None,
        clock_offset_ms=None,
        app_version=None,
        delivered_ms=None,
        revoked_ms=None,
        written_off_ms=None,
        first_received_seq=None,
        first_received_ms=None,
    )


def _refuse_taken_kid(change: Change, key: PublicKey) -> None:
    # Receipts name their key by 4 bytes: the device simply makes another key.
    taken = change.connection.scalar(select(_INSTALLATION.c.id).where(_INSTALLATION.c.kid == key.kid))
    if taken is not None:
        raise ProblemError(RequestCode.KEY_ID_TAKEN, field="public_key")


def _supersede(change: Change, predecessor_id: str | None, worker_id: str) -> None:
    if predecessor_id is None:
        return
    predecessor = installation_by_id(change.connection, predecessor_id, is_locking=True)
    if predecessor is None or predecessor.worker_id != worker_id:
        raise ProblemError(RequestCode.PREDECESSOR_MISMATCH, field="predecessor")
    if predecessor.state != InstallationState.REVOKED:
        change.update(_INSTALLATION, {"id": predecessor_id}, state=str(InstallationState.SUPERSEDED))


def _next_number(change: Change) -> int:
    counter = InstallationCounter.__table__
    insert_missing(change.connection, counter, [{"id": 1, "last_number": 0}], ["id"])
    last = change.connection.scalar(select(counter.c.last_number).where(counter.c.id == 1).with_for_update())
    number = (last or 0) + 1
    change.connection.execute(update(InstallationCounter).where(counter.c.id == 1).values(last_number=number))
    return number


def record_sync(
    change: Change,
    ids: IdSource,
    installation_id: str,
    *,
    mark: ClockMark,
    wall_ms: int,
    journal_head: JournalHead,
    app_version: str | None,
    delivered_ms: int | None,
) -> None:
    """Store the clock mark and the heartbeat that every sync leaves.

    `delivered_ms`: everything captured before it has been received; it never goes back.
    """
    change.insert(
        ClockMarkRow.__table__,
        id=ids.new_id(),
        installation_id=installation_id,
        server_ms=mark.server_ms,
        boot=mark.boot,
        monotonic_ms=mark.monotonic_ms,
        wall_ms=wall_ms,
        head_seq=journal_head.seq,
    )
    change.update(
        _INSTALLATION,
        {"id": installation_id},
        journal_head_seq=journal_head.seq,
        journal_head_digest=journal_head.digest,
        last_sync_ms=mark.server_ms,
        clock_offset_ms=wall_ms - mark.server_ms,
        app_version=app_version,
        delivered_ms=delivered_ms,
    )


def advance_journal(change: Change, installation_id: str, acked: JournalHead) -> None:
    """Move the end of the received journal."""
    change.update(_INSTALLATION, {"id": installation_id}, acked_seq=acked.seq, head_digest=acked.digest)


def fence_installation(change: Change, installation: InstallationView) -> None:
    """Stop an installation whose journal contradicts what it sent before.

    A revoked one stays revoked: it reads nothing already, and its cut-off must not be forgotten.
    """
    if installation.state != InstallationState.REVOKED:
        change.update(_INSTALLATION, {"id": installation.id}, state=str(InstallationState.FENCED))
    change.audit("installation_fenced", installation.id, state=installation.state)
    change.desk("installation_fenced", installation=installation.id)


def revoke_installation(change: Change, installation_id: str) -> None:
    """Revoke an installation: what is acknowledged stays valid, what comes later is quarantined."""
    found = installation_by_id(change.connection, installation_id, is_locking=True)
    if found is None:
        raise ProblemError(RequestCode.NOT_FOUND)
    change.update(
        _INSTALLATION,
        {"id": installation_id},
        state=str(InstallationState.REVOKED),
        last_valid_seq=max(found.acked_seq, found.last_valid_seq or 0),
        revoked_ms=change.now_ms if found.revoked_ms is None else found.revoked_ms,
    )
    change.audit("installation_revoked", installation_id, last_valid_seq=found.acked_seq)
    change.desk(
        "installation_revoked",
        installation=installation_id,
        last_valid_seq=max(found.acked_seq, found.last_valid_seq or 0),
    )


def keep_first_receipt(change: Change, installation_id: str, acked_seq: int, server_ms: int) -> None:
    """Remember a shown acknowledgement that was forgotten: up to there everything came by then."""
    change.update(
        _INSTALLATION, {"id": installation_id}, first_received_seq=acked_seq, first_received_ms=server_ms
    )


def register_backup(change: Change, backup: BackupView, marks: Mapping[str, int]) -> None:
    """Register a backup that passed its check, with how much of each journal it holds.

    The newest two are kept: what both hold is durable.
    """
    columns = {name: getattr(backup, name) for name in BackupView.__dataclass_fields__}
    change.insert(VerifiedBackup.__table__, **columns)
    for installation_id, acked_seq in sorted(marks.items()):
        change.insert(
            BackupMark.__table__, backup_id=backup.id, installation_id=installation_id, acked_seq=acked_seq
        )
    change.flush()
    _forget_backups(change, but=[kept.id for kept in verified_backups(change.connection)])
    change.audit("backup_verified", backup.id, installations=len(marks), sha256=backup.sha256)
    change.desk("backup_verified", backup=backup.id, made_ms=backup.made_ms, sha256=backup.sha256)


def start_epoch(change: Change, above: int, restored_desk_seq: int = 0) -> int:
    """Start the epoch after `above`, and recovery with it, unless a later one has begun; return it.

    No backup makes anything durable in it yet: the newest two may be the ones that were lost.
    `restored_desk_seq` is the last desk record that the restored backup held, where that is known.
    """
    known = current_epoch(change.connection)
    epoch = advance_epoch(change, above)
    if epoch != known:
        _forget_backups(change, but=())
        enter_recovery(change)
        # Numbers that were left out, since nobody knew which were given, stay left out.
        left_out = change.connection.scalar(select(InstallationCounter.__table__.c.last_number)) or 0
        change.desk("epoch_started", epoch=epoch, restored_desk_seq=restored_desk_seq, last_number=left_out)
    return epoch


def _forget_backups(change: Change, but: Sequence[str]) -> None:
    backup, mark = VerifiedBackup.__table__, BackupMark.__table__
    change.connection.execute(delete(BackupMark).where(mark.c.backup_id.not_in(but)))
    change.connection.execute(delete(VerifiedBackup).where(backup.c.id.not_in(but)))


def recall_fenced(change: Change, installation_id: str) -> None:
    """Fence an installation again that a restored database took for active."""
    change.update(
        _INSTALLATION,
        {"id": installation_id, "state": str(InstallationState.ACTIVE)},
        state=str(InstallationState.FENCED),
    )


def recall_revoked(change: Change, installation_id: str, last_valid_seq: int) -> None:
    """Revoke an installation again; what was acknowledged before its revocation stays valid."""
    change.update(
        _INSTALLATION,
        {"id": installation_id},
        state=str(InstallationState.REVOKED),
        last_valid_seq=last_valid_seq,
        revoked_ms=change.now_ms,
    )
