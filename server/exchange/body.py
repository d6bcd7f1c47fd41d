"""Reading a request's body under caps, before anything is parsed (docs/protocol.md, rule 9)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from schemas.base import RequestSchema
from schemas.derived import UNREADABLE, derived
from server.errors import ProblemError
from sync.codes import RequestCode
from sync.entry import Fault, strict_json
from sync.limits import LIMITS

_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
_READ_BYTES = 64 * 1024
_GZIP_WINDOW = 31  # zlib's code for "gzip header and trailer, largest window"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def _too_large() -> ProblemError:
    return ProblemError(RequestCode.BODY_TOO_LARGE, limits=LIMITS.as_wire())


def read_capped(read: Callable[[int], bytes], content_length: int | None) -> bytes:
    """Return the body as sent; refuse it as soon as it passes the limit."""
    if content_length is not None and content_length > LIMITS.body_bytes:
        raise _too_large()
    parts, size = [], 0
    while part := read(_READ_BYTES):
        size += len(part)
        if size > LIMITS.body_bytes:
            raise _too_large()
        parts.append(part)
    body = b"".join(parts)
    if content_length is not None and len(body) != content_length:
        raise ProblemError(RequestCode.BODY_UNREADABLE)
    return body


def inflate(body: bytes, encoding: str | None) -> bytes:
    """Return the body without its gzip coding; memory stays below the advertised limit."""
    if encoding is None or encoding in {"", "identity"}:
        if len(body) > LIMITS.inflated_bytes:
            raise _too_large()
        return body
    if encoding != "gzip":
        raise ProblemError(RequestCode.CONTENT_TYPE_UNSUPPORTED, field="Content-Encoding")
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        inflated = inflater.decompress(body, LIMITS.inflated_bytes + 1)
    except zlib.error as error:
        raise ProblemError(RequestCode.BODY_UNREADABLE, field="Content-Encoding") from error
    if len(inflated) > LIMITS.inflated_bytes:
        raise _too_large()
    if not inflater.eof or inflater.unused_data:
        raise ProblemError(RequestCode.BODY_UNREADABLE, field="Content-Encoding")
    return inflated


def parse_body(inflated: bytes, schemas: Mapping[int, RequestSchema]) -> dict[str, Any]:
    """Return the body as the schema of its version reads it; `schemas` are those that are served.

    Raises ProblemError: body_unreadable, protocol_unsupported, body_invalid.
    """
    value = _plain_json(inflated)
    if value is None:
        try:
            text = inflated.decode("utf-8")
            value = strict_json(text)
            if ("\\ud" in text or "\\uD" in text) and _SURROGATE_ESCAPE.search(text):
                _refuse_lone_surrogates(value)
        except (ValueError, RecursionError) as error:
            raise ProblemError(RequestCode.BODY_UNREADABLE) from error
    if not isinstance(value, dict):
        raise ProblemError(RequestCode.BODY_INVALID)
    version = value.get("protocol")
    if type(version) is int and version not in schemas:
        # Asked before the members are: another version may have others.
        raise ProblemError(RequestCode.PROTOCOL_UNSUPPORTED, field="protocol")
    schema = schemas[version if type(version) is int else max(schemas)]
    loaded = derived(type(schema)).load(value)
    if isinstance(loaded, Fault):
        raise ProblemError(RequestCode.BODY_INVALID, field=loaded.field)
    return loaded


def _plain_json(inflated: bytes) -> dict[str, Any] | None:
    """Return what `strict_json` would, where the bytes are the very ones that it is written as; else None.

    Then no member is named twice, no number has lost anything, and no text holds half a character.
    """
    try:
        value = _decode(inflated)
        return value if isinstance(value, dict) and _encode(value) == inflated else None
    except UNREADABLE:
        return None


def _refuse_lone_surrogates(value: Any) -> None:
    """Raise UnicodeEncodeError (a ValueError) when any text inside `value` is not Unicode."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            node.encode("utf-8")
        elif isinstance(node, dict):
            pending.extend(node)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
