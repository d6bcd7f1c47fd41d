"""Configuration: `TUNGNHA_*` in the environment, read once and checked before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.signatures import KeyMalformedError, PrivateKey, from_base64url

_KEY_BYTES = 32
# Longer, and a void's receipt token no longer fits QR version 9 (docs/protocol.md, "Receipts").
RECEIPT_URL_MOST = 27


class ConfigurationError(Exception):
    """A `TUNGNHA_*` variable is missing or unusable; the message names it, never its value."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the environment says. Keys are raw bytes; `data_keys` maps key id to key."""

    database_url: str
    data_keys: Mapping[str, bytes]
    current_data_key: str
    index_key: bytes
    office_key: PrivateKey
    secret_key: str
    public_url: str
    time_zone: ZoneInfo
    demo_clock: Path | None
    secure_cookies: bool
    busy_timeout_ms: int
    desk_journal: Path | None

    @property
    def receipt_url(self) -> str:
        """Return the address before a receipt's digits, at most 27 characters."""
        return f"{self.public_url}/r/"


def read_config(environment: Mapping[str, str] | None = None) -> Config:
    """Read and check the configuration. Raises ConfigurationError."""
    values = os.environ if environment is None else environment
    data_keys, current = _data_keys(_required(values, "TUNGNHA_DATA_KEYS"))
    public_url = values.get("TUNGNHA_PUBLIC_URL", "http://localhost:8000").rstrip("/")
    if len(f"{public_url}/r/") > RECEIPT_URL_MOST:
        raise ConfigurationError(
            f"TUNGNHA_PUBLIC_URL: with /r/ it may have {RECEIPT_URL_MOST} characters at most"
        )
    demo_clock = values.get("TUNGNHA_DEMO_CLOCK")
    database_url = values.get("TUNGNHA_DATABASE_URL", "sqlite:///tungnha.sqlite3")
    return Config(
        database_url=database_url,
        data_keys=data_keys,
        current_data_key=current,
        index_key=_key("TUNGNHA_INDEX_KEY", _required(values, "TUNGNHA_INDEX_KEY")),
        office_key=_office_key(_required(values, "TUNGNHA_OFFICE_KEY")),
        secret_key=_required(values, "TUNGNHA_SECRET_KEY"),
        public_url=public_url,
        time_zone=_zone(values.get("TUNGNHA_TIME_ZONE", "Asia/Ho_Chi_Minh")),
        demo_clock=Path(demo_clock) if demo_clock else None,
        secure_cookies=public_url.startswith("https://"),
        busy_timeout_ms=_milliseconds(values, "TUNGNHA_BUSY_TIMEOUT_MS", "10000"),
        desk_journal=_desk_journal(values.get("TUNGNHA_DESK_JOURNAL"), database_url),
    )


def _required(values: Mapping[str, str], name: str) -> str:
    value = values.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set (`tungnha new-keys` prints fresh ones)")
    return value


def _key(name: str, value: str) -> bytes:
    try:
        key = from_base64url(value)
    except ValueError as error:
        raise ConfigurationError(f"{name} is not base64url") from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"{name} must hold {_KEY_BYTES} bytes")
    return key


def _data_keys(value: str) -> tuple[dict[str, bytes], str]:
    """Read `id:key,id:key`; the first one encrypts, all of them decrypt."""
    keys: dict[str, bytes] = {}
    for part in value.split(","):
        key_id, separator, key = part.partition(":")
        if not separator or not key_id.isalnum() or len(key_id) > 8 or key_id in keys:
            raise ConfigurationError("TUNGNHA_DATA_KEYS must read id:key,id:key")
        keys[key_id] = _key("TUNGNHA_DATA_KEYS", key)
    return keys, next(iter(keys))


def _office_key(value: str) -> PrivateKey:
    try:
        return PrivateKey(_key("TUNGNHA_OFFICE_KEY", value))
    except KeyMalformedError as error:
        raise ConfigurationError("TUNGNHA_OFFICE_KEY is not a P-256 key") from error


def _desk_journal(value: str | None, database_url: str) -> Path | None:
    """Return the file outside the database; beside the SQLite file where nothing else is said."""
    if value:
        return Path(value).resolve()
    scheme, separator, path = database_url.partition(":///")
    if not separator or not scheme.startswith("sqlite") or not path or path.startswith(":memory:"):
        return None
    return Path(f"{path}.desk").resolve()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError("TUNGNHA_TIME_ZONE is not a time zone") from error


def _milliseconds(values: Mapping[str, str], name: str, default: str) -> int:
    text = values.get(name, default)
    if not text.isdecimal() or not 0 < int(text) <= 600_000:
        raise ConfigurationError(f"{name} must be from 1 to 600000")
    return int(text)
