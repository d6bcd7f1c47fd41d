"""Enrolling an installation, and enrolling again with everything carried over.

The key is made here and never leaves. The new installation is remembered before the code is sent,
so that a lost answer can be asked for again with the same key.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from field_client.exchange import Exchanger, RefusedError
from field_client.identity import Identities, Identity
from field_client.outbox import Outbox
from field_client.store import Store
from field_client.transport import NotOurServerError
from schemas.exchange import PROTOCOL, EnrolmentRequest, EnrolmentResponse
from schemas.signatures import (
    CERTIFICATE_CONTEXT,
    KeyMalformedError,
    PrivateKey,
    PublicKey,
    from_base64url,
    statement_content,
    to_base64url,
)
from sync.clock import Clock
from sync.codes import RequestCode
from sync.journal import chain, genesis_digest

ENROLMENT_PATH = "/api/v1/enrolments"
_PENDING = "pending enrolment"
_KEYS_TRIED = 5


class AlreadyEnrolledError(Exception):
    """This home directory has an installation; enrolling again must be asked for."""


class CodeMalformedError(Exception):
    """The text is no enrolment code; nothing was sent."""


class OtherWorkerError(Exception):
    """The code is for another worker: what one agent recorded is never carried over to another."""


class Enrolment:
    """Turns a one-time code into an installation."""

    def __init__(self, store: Store, identities: Identities, outbox: Outbox, clock: Clock) -> None:
        self._store = store
        self._identities = identities
        self._outbox = outbox
        self._clock = clock

    def enrol(
        self, code: str, server_url: str, exchanger_of: Callable[[PrivateKey], Exchanger], *, again: bool
    ) -> Identity:
        """Turn a code into the current installation; `exchanger_of` signs with the key given to it."""
        for _ in range(_KEYS_TRIED):
            key = self._prepare(code, server_url, again=again)
            try:
                return self._complete(exchanger_of(key))
            except RefusedError as refusal:
                if refusal.code != RequestCode.KEY_ID_TAKEN:
                    raise
                # Receipts name their key by 4 bytes, and another device has these.
                with self._store.transaction():
                    self._forget_pending()
        raise RefusedError(RequestCode.KEY_ID_TAKEN, {})

    def _forget_pending(self) -> None:
        self._store.connection.execute("DELETE FROM setting WHERE name = ?", (_PENDING,))

    def _prepare(self, code: str, server_url: str, *, again: bool) -> PrivateKey:
        """Return the key to enrol with; the same one when this code is tried a second time."""
        if self._identities.current_or_none() is not None and not again:
            raise AlreadyEnrolledError
        pending = self._store.setting(_PENDING)
        if pending is None or pending["code"] != code:
            key = PrivateKey.generate()
            # Random: the id says nothing, and a copied device must not make the same one.
            pending = {"code": code, "installation": str(uuid.uuid4()), "key": to_base64url(key.scalar)}
        self._store.put_setting(_PENDING, pending | {"server_url": server_url})
        return PrivateKey(from_base64url(pending["key"]))

    def _complete(self, exchanger: Exchanger) -> Identity:
        """Send the code, check the certificate and switch to the new installation."""
        pending = self._store.setting(_PENDING)
        key = PrivateKey(from_base64url(pending["key"]))
        old = self._identities.current_or_none()
        request = {
            "protocol": PROTOCOL,
            "installation": pending["installation"],
            "code": pending["code"],
            "public_key": to_base64url(key.public.spki),
            "predecessor": None if old is None else old.installation,
            "predecessor_certificate": None if old is None else old.certificate,
            "clock": {
                "wall_ms": self._clock.now_ms(),
                "boot": self._outbox.boot,
                "monotonic_ms": self._clock.monotonic_ms(),
            },
        }
        if EnrolmentRequest().validate(request):
            raise CodeMalformedError
        answer = exchanger.post(ENROLMENT_PATH, lambda: request, EnrolmentResponse())
        identity = _checked_identity(answer, key, request, pending["server_url"])
        if old is not None and old.worker_id != identity.worker_id:
            raise OtherWorkerError
        with self._store.transaction():
            self._identities.put(identity)
            if old is not None:
                self._carry_over(old, identity)
            self._forget_pending()
        return identity

    def _carry_over(self, old: Identity, new: Identity) -> None:
        """Place every entry above the durable mark in the new journal, bytes unchanged, in order.

        After a restore the mark may be lower than it was: what is purged by then cannot be carried.
        """
        connection = self._store.connection
        durable_seq = self._identities.standing(old.installation).durable_seq
        carried = connection.execute(
            "SELECT local_id, sha256 FROM journal JOIN entry USING (local_id) "
            "WHERE installation_id = ? AND seq > ? AND purged_ms IS NULL ORDER BY seq",
            (old.installation, durable_seq),
        ).fetchall()
        digests = chain(genesis_digest(new.installation), (sha256 for _, sha256 in carried))
        connection.executemany(
            "INSERT INTO journal (installation_id, seq, local_id, digest) VALUES (?, ?, ?, ?)",
            [
                (new.installation, seq, local_id, digest)
                for seq, ((local_id, _), digest) in enumerate(zip(carried, digests, strict=True), start=1)
            ],
        )


def _checked_identity(
    answer: dict[str, Any], key: PrivateKey, request: dict[str, Any], server_url: str
) -> Identity:
    """Return the identity that the office certified. Raises NotOurServerError."""
    try:
        office_key = PublicKey(from_base64url(answer["office_public_key"]))
    except (KeyMalformedError, ValueError) as error:
        raise NotOurServerError("no office key") from error
    content = statement_content(office_key, CERTIFICATE_CONTEXT, answer["certificate"])
    expected = {
        "installation": request["installation"],
        "number": answer["number"],
        "worker": answer["worker"]["id"],
        "kid": key.kid,
        "predecessor": request["predecessor"],
    }
    if content is None or any(content.get(name) != value for name, value in expected.items()):
        raise NotOurServerError("the certificate is not for this device")
    return Identity(
        installation=request["installation"],
        number=answer["number"],
        worker_id=answer["worker"]["id"],
        worker_name=answer["worker"]["name"],
        key=key,
        certificate=answer["certificate"],
        office_key=office_key,
        receipt_url=answer["receipt_url"],
        server_url=server_url,
        predecessor=request["predecessor"],
    )
