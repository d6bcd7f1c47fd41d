"""Who this installation is: its key, number, worker, certificate and office, kept sealed.

A second copy lies beside the database, so that a damaged one can still be replaced by name.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from field_client.sealing import RowSealer, SealBrokenError
from field_client.store import Store
from schemas.signatures import PrivateKey, PublicKey, from_base64url, to_base64url
from sync.journal import genesis_digest

COPY_NAME = "field.identity"
# Why an installation is stopped after its database was set aside; not a code of the wire.
STORE_DAMAGED = "store_damaged"
_COPY_PLACE = ("identity.copy", "current")


class NotEnrolledError(Exception):
    """Nothing can be recorded before the first enrolment: a journal belongs to an installation."""


class StoppedByDamageError(Exception):
    """The database was damaged: nothing is recorded before the device is enrolled again.

    What was lost may have used up receipt numbers and positions, which must not be given twice.
    """


@dataclass(frozen=True, slots=True)
class Identity:
    """One enrolled installation. `certificate` is the signed statement, shown verbatim."""

    installation: str
    number: int
    worker_id: str
    worker_name: str
    key: PrivateKey
    certificate: dict[str, str]
    office_key: PublicKey
    receipt_url: str
    server_url: str
    predecessor: str | None

    @property
    def genesis(self) -> str:
        """Return the digest before the first entry of its journal."""
        return genesis_digest(self.installation)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an installation knows of its delivery; `stopped` is the code it must enrol again for.

    `rejudged_from` is the first position that more than one epoch may have judged, None without one.
    """

    acked_seq: int
    durable_seq: int
    epoch: int
    synced_ms: int | None
    stopped: str | None
    last_ack: dict[str, str] | None
    rejudged_from: int | None


class Identities:
    """The installations of one store: at most one is current, the others are its history."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Identity] = {}

    def current_or_none(self) -> Identity | None:
        """Return the current installation, or None before the first enrolment."""
        found = self._store.connection.execute(
            "SELECT id FROM installation WHERE state = 'current'"
        ).fetchone()
        return None if found is None else self._identity(found[0])

    def current(self) -> Identity:
        """Return the current installation. Raises NotEnrolledError."""
        identity = self.current_or_none()
        if identity is None:
            raise NotEnrolledError
        return identity

    def recording(self) -> Identity:
        """Return the installation whose journal grows. Raises NotEnrolledError, StoppedByDamageError."""
        found = self._store.connection.execute(
            "SELECT id, stopped FROM installation WHERE state = 'current'"
        ).fetchone()
        if found is None:
            raise NotEnrolledError
        if found[1] == STORE_DAMAGED:
            raise StoppedByDamageError
        return self._identity(found[0])

    def standing(self, installation: str) -> Standing:
        """Return how the deliveries of `installation` stand."""
        row = self._store.connection.execute(
            "SELECT acked_seq, durable_seq, epoch, synced_ms, stopped, last_ack, rejudged_from "
            "FROM installation WHERE id = ?",
            (installation,),
        ).fetchone()
        sealed = row[5]
        ack = None
        if sealed is not None:
            ack = json.loads(self._store.sealer.open(sealed, "installation.last_ack", installation))
        return Standing(row[0], row[1], row[2], row[3], row[4], ack, row[6])

    def stop(self, installation: str, code: str) -> None:
        """Remember that `installation` must not sync any more; recording goes on."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE installation SET stopped = ? WHERE id = ?", (code, installation))

    def put(self, identity: Identity) -> None:
        """Store `identity` as the current installation; the one before becomes history."""
        content = _content_of(identity)
        sealed = self._store.sealer.seal(json.dumps(content), "installation.sealed", identity.installation)
        with self._store.transaction() as connection:
            connection.execute("UPDATE installation SET state = 'superseded' WHERE state = 'current'")
            connection.execute(
                "INSERT INTO installation (id, state, sealed) VALUES (?, 'current', ?)",
                (identity.installation, sealed),
            )

    def keep_copy(self) -> None:
        """Keep the current identity beside the database where no copy of it is there yet."""
        identity = self.current_or_none()
        if identity is None:
            return
        kept = read_copy(self._store.home, self._store.sealer)
        if kept is None or kept.installation != identity.installation:
            _write_copy(self._store.home, self._store.sealer, identity)

    def _identity(self, installation: str) -> Identity:
        known = self._known.get(installation)
        if known is None:
            sealed = self._store.connection.execute(
                "SELECT sealed FROM installation WHERE id = ?", (installation,)
            ).fetchone()[0]
            text = self._store.sealer.open(sealed, "installation.sealed", installation)
            known = self._known[installation] = identity_from_json(installation, json.loads(text))
        return known


def read_copy(home: Path, sealer: RowSealer) -> Identity | None:
    """Return the identity that was kept beside the database; None where there is none that opens."""
    try:
        text = sealer.open((home / COPY_NAME).read_bytes(), *_COPY_PLACE)
    except (OSError, SealBrokenError):
        return None
    content = json.loads(text)
    return identity_from_json(content["installation"], content)


def _write_copy(home: Path, sealer: RowSealer, identity: Identity) -> None:
    """Write the copy whole or not at all."""
    text = json.dumps(_content_of(identity) | {"installation": identity.installation})
    fresh = home / f"{COPY_NAME}.{secrets.token_hex(4)}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealer.seal(text, *_COPY_PLACE))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(home / COPY_NAME)


def _content_of(identity: Identity) -> dict[str, Any]:
    return {
        "number": identity.number,
        "worker": [identity.worker_id, identity.worker_name],
        "key": to_base64url(identity.key.scalar),
        "certificate": identity.certificate,
        "office_key": to_base64url(identity.office_key.spki),
        "receipt_url": identity.receipt_url,
        "server_url": identity.server_url,
        "predecessor": identity.predecessor,
    }


def identity_from_json(installation: str, content: dict[str, Any]) -> Identity:
    """Return the identity whose kept content this is."""
    return Identity(
        installation=installation,
        number=content["number"],
        worker_id=content["worker"][0],
        worker_name=content["worker"][1],
        key=PrivateKey(from_base64url(content["key"])),
        certificate=content["certificate"],
        office_key=PublicKey(from_base64url(content["office_key"])),
        receipt_url=content["receipt_url"],
        server_url=content["server_url"],
        predecessor=content["predecessor"],
    )
