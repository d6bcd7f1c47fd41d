"""The line to the server: one signed POST at a time, with deadlines and a cap on the answer.

Answers with `Reply` or raises: LineDownError when no answer came (offline is normal), NotOurServerError
when something else answered, such as a captive portal. Never follows redirects.
"""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from schemas.signatures import SIGNATURE_HEADER

# Told with every sync: the office sees which tablets run an old version.
APP_VERSION = "0.2.0"
CONNECT_S = 10.0
QUIET_S = 60.0
WHOLE_S = 180.0
# A page of a pull is at most 1000 rows; this is well past the largest and far below the memory.
REPLY_BYTES = 64 * 1024 * 1024
GZIP_FROM_BYTES = 1024
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class LineDownError(Exception):
    """No answer: offline, timed out, or cut on the way. What was sent may have arrived."""


class NotOurServerError(Exception):
    """Something answered that is not the office's server."""


class AddressRefusedError(ValueError):
    """The server's address is not usable: it needs https, except on this machine."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends a signed body to a path of the server."""

    def post(self, path: str, body: bytes, signature: str) -> Reply:
        """Return the answer. Raises LineDownError or NotOurServerError."""

    def close(self) -> None:
        """Let the line go."""


class HttpTransport:
    """HTTP through httpx, one kept-alive connection. A client may be passed in for tests."""

    def __init__(self, server_url: str, client: httpx.Client | None = None) -> None:
        self._url = checked_address(server_url)
        # A proxy of the environment is for the network, never for this machine.
        is_local = urlsplit(self._url).hostname in _LOOPBACK
        timeout = httpx.Timeout(QUIET_S, connect=CONNECT_S)
        self._client = client or httpx.Client(timeout=timeout, follow_redirects=False, trust_env=not is_local)

    def post(self, path: str, body: bytes, signature: str) -> Reply:
        """Send `body`, compressed when that is worth it."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"tungnha-field/{APP_VERSION}",
            SIGNATURE_HEADER: signature,
        }
        if len(body) > GZIP_FROM_BYTES:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, compresslevel=6, mtime=0)
        deadline_s = time.monotonic() + WHOLE_S
        try:
            with self._client.stream("POST", self._url + path, content=body, headers=headers) as response:
                content = b"".join(_bounded(response.iter_bytes(), deadline_s))
                received = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, received, content)
        except httpx.DecodingError as error:
            raise NotOurServerError("the answer does not decode") from error
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            raise LineDownError(type(error).__name__) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def checked_address(server_url: str) -> str:
    """Return the address without its last slash. Raises AddressRefusedError.

    Signatures prove who sends, but only TLS hides what is sent.
    """
    parts = urlsplit(server_url)
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme != "https" and not is_local) or not parts.hostname or parts.query or parts.fragment:
        raise AddressRefusedError(server_url)
    return server_url.rstrip("/")


def _bounded(chunks: Iterator[bytes], deadline_s: float) -> Iterator[bytes]:
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > REPLY_BYTES:
            raise NotOurServerError("the answer is too large")
        if time.monotonic() > deadline_s:
            raise LineDownError("the answer takes too long")
        yield chunk
