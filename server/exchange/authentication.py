"""Who sends: a signature over method, path and inflated body, by the installation's key."""

from __future__ import annotations

from schemas.signatures import PublicKey, from_base64url, request_message
from server.errors import ProblemError
from sync.codes import RequestCode


def verify_request(key: PublicKey, header: str | None, method: str, path: str, inflated: bytes) -> None:
    """Check the request's signature. Raises ProblemError: signature_missing, signature_invalid."""
    if not header:
        raise ProblemError(RequestCode.SIGNATURE_MISSING)
    try:
        signature = from_base64url(header)
    except ValueError as error:
        raise ProblemError(RequestCode.SIGNATURE_INVALID) from error
    if not key.verify(request_message(method, path, inflated), signature):
        raise ProblemError(RequestCode.SIGNATURE_INVALID)
