"""Acknowledgements: an exact JSON string, signed by the office key, that the device shows back."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, PrivateKey, sign_statement, statement_content
from server.errors import ProblemError
from sync.codes import RequestCode
from sync.push import JournalHead


@dataclass(frozen=True, slots=True)
class ShownAcknowledgement:
    """What the office once signed for this journal, as its device shows it back."""

    acked_seq: int
    epoch: int
    server_ms: int


def signed_acknowledgement(
    key: PrivateKey,
    installation_id: str,
    acked: JournalHead,
    *,
    durable_seq: int,
    epoch: int,
    server_ms: int,
) -> dict[str, str]:
    """Return the signed statement that a journal has arrived up to `acked`.

    `durable_seq` is up to where two verified backups hold it (docs/protocol.md, rule 10).
    """
    content = {
        "installation": installation_id,
        "acked_seq": acked.seq,
        "head": acked.digest,
        "durable_seq": min(durable_seq, acked.seq),
        "epoch": epoch,
        "server_ms": server_ms,
    }
    return sign_statement(key, ACKNOWLEDGEMENT_CONTEXT, content)


def shown_acknowledgement(
    key: PrivateKey, shown: dict[str, str] | None, installation_id: str
) -> ShownAcknowledgement | None:
    """Return what a shown acknowledgement says of this journal.

    An acknowledgement of another installation (a predecessor's) or under an older office key says
    nothing here. Raises ProblemError when its signature is not the office's.
    """
    if shown is None or shown["kid"] != key.kid:
        return None
    content = statement_content(key.public, ACKNOWLEDGEMENT_CONTEXT, shown)
    if content is None:
        raise ProblemError(RequestCode.BODY_INVALID, field="last_ack")
    if content["installation"] != installation_id:
        return None
    return ShownAcknowledgement(content["acked_seq"], content["epoch"], content["server_ms"])
