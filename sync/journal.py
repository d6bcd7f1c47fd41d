"""The journal's hash chain: d(n) = SHA-256(d(n-1) || SHA-256(bytes n)).

The entry's position is not part of its bytes, so that a journal can be carried over to another
installation unchanged; the chain still verifies after a payload is erased, since it needs only
the payload's SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

# The journal of the office itself: decisions made on pages are entries like any other. Its
# installation has the number 0, no key and no worker of its own.
DESK = "desk"
DESK_NUMBER = 0


def entry_sha256(raw: str) -> str:
    """Return the SHA-256 of an entry's UTF-8 bytes as lower-case hex."""
    return hashlib.sha256(raw.encode("utf-8")).hexdigest()


def genesis_digest(installation: str) -> str:
    """Return d(0) for an installation's id in lower-case UUID text, as hex."""
    return hashlib.sha256(installation.encode("ascii")).hexdigest()


def next_digest(previous_digest: str, sha256: str) -> str:
    """Return d(n) from d(n-1) and the SHA-256 of entry n; all hex."""
    return hashlib.sha256(bytes.fromhex(previous_digest) + bytes.fromhex(sha256)).hexdigest()


def chain(previous_digest: str, sha256s: Iterable[str]) -> list[str]:
    """Return the digest after each entry, starting from `previous_digest`."""
    digests, last = [], bytes.fromhex(previous_digest)
    for sha256 in sha256s:
        link = hashlib.sha256(last + bytes.fromhex(sha256))
        last = link.digest()
        digests.append(last.hex())
    return digests
