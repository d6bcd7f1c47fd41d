"""Acknowledgements: an exact JSON string, signed by the office key, that the device shows back."""

from __future__ import annotations

from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, PrivateKey, sign_statement, statement_content
from server.errors import ProblemError
from sync.codes import RequestCode
from sync.push import JournalHead

# Nothing is purged on devices before verified backups exist (docs/protocol.md, rule 10).
DURABLE_SEQ = 0


def signed_acknowledgement(
    key: PrivateKey, installation_id: str, acked: JournalHead, epoch: int, server_ms: int
) -> dict[str, str]:
    """Return the signed statement that a journal has arrived up to `acked`."""
    content = {
        "installation": installation_id,
        "acked_seq": acked.seq,
        "head": acked.digest,
        "durable_seq": DURABLE_SEQ,
        "epoch": epoch,
        "server_ms": server_ms,
    }
    return sign_statement(key, ACKNOWLEDGEMENT_CONTEXT, content)


def remembered_seq(key: PrivateKey, shown: dict[str, str] | None, installation_id: str) -> int | None:
    """Return up to where a shown acknowledgement says that this journal was received.

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
    return int(content["acked_seq"])


def acknowledged_ms(key: PrivateKey, shown: dict[str, str] | None, installation_id: str) -> int | None:
    """Return when the office gave the acknowledgement that is shown: what shows it was signed later.

    None where there is none of this installation under the current office key.
    """
    if shown is None or shown["kid"] != key.kid:
        return None
    content = statement_content(key.public, ACKNOWLEDGEMENT_CONTEXT, shown)
    if content is None or content["installation"] != installation_id:
        return None
    return int(content["server_ms"])
