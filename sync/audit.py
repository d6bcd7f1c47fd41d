"""The audit chain: each row's digest covers the row before it."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def audit_genesis(chain: str) -> str:
    """Return the digest before the first row of `chain`, as hex."""
    return hashlib.sha256(f"tungnha audit {chain}".encode()).hexdigest()


def audit_digest(previous_digest: str, seq: int, at_ms: int, action: str, subject: str, detail: str) -> str:
    """Return the digest of one audit row as hex; `detail` is the stored JSON text."""
    text = json.dumps([previous_digest, seq, at_ms, action, subject, detail], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def detail_text(detail: dict[str, Any]) -> str:
    """Return the JSON text under which an audit detail is stored and hashed."""
    return json.dumps(detail, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
