"""All randomness of a history from its seed: ids, keys, nonces, salts, codes and waits.

Signatures are made deterministically (RFC 6979), so that two runs of a seed are equal byte for byte.
"""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from schemas import signatures
from schemas.signatures import PrivateKey, to_base64url


class Chance:
    """The one source; `begin` starts it anew, so that leaving out a step changes no other one."""

    def __init__(self) -> None:
        self._source = random.Random(0)

    def begin(self, name: str) -> None:
        """Start anew for what is called `name`."""
        self._source = random.Random(name)

    def token_bytes(self, count: int | None = None) -> bytes:
        return self._source.randbytes(32 if count is None else count)

    def token_hex(self, count: int | None = None) -> str:
        return self.token_bytes(count).hex()

    def token_urlsafe(self, count: int | None = None) -> str:
        return to_base64url(self.token_bytes(count))

    def randbits(self, bits: int) -> int:
        return self._source.getrandbits(bits)

    def uniform(self, least: float, most: float) -> float:
        return self._source.uniform(least, most)

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(bytes=self._source.randbytes(16), version=4)

    def private_key(self) -> PrivateKey:
        return PrivateKey(self._source.randbytes(32))


@contextmanager
def governed(chance: Chance) -> Iterator[None]:
    """Let everything in this process that asks for randomness get it from `chance`."""
    replaced: list[tuple[Any, str, Any]] = [
        (secrets, "token_bytes", chance.token_bytes),
        (secrets, "token_hex", chance.token_hex),
        (secrets, "token_urlsafe", chance.token_urlsafe),
        (secrets, "randbits", chance.randbits),
        (random, "uniform", chance.uniform),
        (uuid, "uuid4", chance.uuid4),
        (PrivateKey, "generate", chance.private_key),
        (signatures, "_ES256", ec.ECDSA(hashes.SHA256(), deterministic_signing=True)),
    ]
    with ExitStack() as stack:
        for owner, name, value in replaced:
            stack.enter_context(mock.patch.object(owner, name, value))
        yield
