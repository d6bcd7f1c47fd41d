"""Who this installation is: its key, number, worker, certificate and office, kept sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from field_client.store import Store
from schemas.signatures import PrivateKey, PublicKey, from_base64url, to_base64url
from sync.journal import genesis_digest


class NotEnrolledError(Exception):
    """Nothing can be recorded before the first enrolment: a journal belongs to an installation."""


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
    """What an installation knows of its delivery; `stopped` is the code it must enrol again for."""

    acked_seq: int
    durable_seq: int
    epoch: int
    synced_ms: int | None
    stopped: str | None
    last_ack: dict[str, str] | None


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

    def standing(self, installation: str) -> Standing:
        """Return how the deliveries of `installation` stand."""
        row = self._store.connection.execute(
            "SELECT acked_seq, durable_seq, epoch, synced_ms, stopped, last_ack "
            "FROM installation WHERE id = ?",
            (installation,),
        ).fetchone()
        sealed = row[5]
        ack = None
        if sealed is not None:
            ack = json.loads(self._store.sealer.open(sealed, "installation.last_ack", installation))
        return Standing(row[0], row[1], row[2], row[3], row[4], ack)

    def stop(self, installation: str, code: str) -> None:
        """Remember that `installation` must not sync any more; recording goes on."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE installation SET stopped = ? WHERE id = ?", (code, installation))

    def put(self, identity: Identity) -> None:
        """Store `identity` as the current installation; the one before becomes history."""
        content = {
            "number": identity.number,
            "worker": [identity.worker_id, identity.worker_name],
            "key": to_base64url(identity.key.scalar),
            "certificate": identity.certificate,
            "office_key": to_base64url(identity.office_key.spki),
            "receipt_url": identity.receipt_url,
            "server_url": identity.server_url,
            "predecessor": identity.predecessor,
        }
        sealed = self._store.sealer.seal(json.dumps(content), "installation.sealed", identity.installation)
        with self._store.transaction() as connection:
            connection.execute("UPDATE installation SET state = 'superseded' WHERE state = 'current'")
            connection.execute(
                "INSERT INTO installation (id, state, sealed) VALUES (?, 'current', ?)",
                (identity.installation, sealed),
            )

    def _identity(self, installation: str) -> Identity:
        known = self._known.get(installation)
        if known is None:
            sealed = self._store.connection.execute(
                "SELECT sealed FROM installation WHERE id = ?", (installation,)
            ).fetchone()[0]
            text = self._store.sealer.open(sealed, "installation.sealed", installation)
            known = self._known[installation] = _from_json(installation, json.loads(text))
        return known


def _from_json(installation: str, content: dict[str, Any]) -> Identity:
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
