"""One SHA-256 over the whole contract, so that no change of it goes unseen.

Fields and validators are walked by name: the fingerprint depends neither on the order of dicts nor
on the version of Python or marshmallow. What this module does not know how to describe, it refuses.
tests/contracts/test_fingerprint.py pins it beside the version history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, fields, missing, validate

from schemas import base, earlier, exchange, receipt_token, signatures
from schemas.catalogue import KINDS, PROMOTER_REFERENCES, Reference
from schemas.receipt_view import ReceiptShown
from sync import entry
from sync.codes import EntryCode, Flag, RateCode, RequestCode
from sync.limits import LIMITS
from sync.verdict import Decision, OutcomeState

EXCHANGES: dict[str, type[Schema]] = {
    "sync_request": exchange.SyncRequest,
    "sync_request_v1": earlier.SyncRequestV1,
    "sync_response": exchange.SyncResponse,
    "enrolment_request": exchange.EnrolmentRequest,
    "enrolment_response": exchange.EnrolmentResponse,
    "problem": exchange.Problem,
    "receipt": ReceiptShown,
}
_UNKNOWN = {RAISE: "refused", EXCLUDE: "ignored", INCLUDE: "kept"}
# Ours come before the classes of marshmallow that they derive from.
_TYPES: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (exchange.RawEntry, "raw entry"),
    (base.StrictText, "text"),
    (base.StrictInteger, "integer"),
    (base.StrictBoolean, "boolean"),
    (base.IsoDay, "day"),
    (fields.Nested, "object"),
    (fields.List, "list"),
    (fields.Dict, "map"),
    (fields.String, "string"),
)


def fingerprint(described: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a described contract."""
    text = json.dumps(described, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def contract() -> dict[str, Any]:
    """Return everything that two ends have to agree on, as JSON values."""
    return {
        "protocol": exchange.PROTOCOL,
        "served": list(exchange.SERVED_PROTOCOLS),
        "exchanges": {name: described_schema(schema()) for name, schema in EXCHANGES.items()},
        "kinds": {
            kind.name: {
                "body": described_schema(kind.schema),
                "references": [_described_reference(reference) for reference in kind.references],
                "origins": sorted(kind.origins),
            }
            for kind in KINDS.values()
        },
        "earlier_bodies": {
            name: {"protocol": found.protocol, "body": described_schema(found.schema)}
            for name, found in earlier.EARLIER_BODIES.items()
        },
        "promoters": {name: _described_reference(found) for name, found in PROMOTER_REFERENCES.items()},
        "codes": {
            listed.__name__: sorted(str(code) for code in listed)
            for listed in (RequestCode, EntryCode, Flag, RateCode, Decision, OutcomeState)
        },
        "limits": LIMITS.as_wire(),
        "envelope": {
            "id": entry.UUID7_PATTERN.pattern,
            "kind": entry.KIND_PATTERN.pattern,
            "boot": entry.BOOT_PATTERN.pattern,
            "largest_integer": entry.LARGEST_INTEGER,
            "field_characters": entry.FIELD_CHARACTERS,
        },
        "signatures": {
            "header": signatures.SIGNATURE_HEADER,
            "request": signatures.REQUEST_CONTEXT.decode("ascii"),
            "acknowledgement": signatures.ACKNOWLEDGEMENT_CONTEXT.decode("ascii"),
            "certificate": signatures.CERTIFICATE_CONTEXT.decode("ascii"),
        },
        "receipt_token": {
            "schema_version": receipt_token.SCHEMA_VERSION,
            "kinds": {kind.name.lower(): int(kind) for kind in receipt_token.ReceiptKind},
            "faults": sorted(str(fault) for fault in receipt_token.ReceiptFault),
            "digits_most": receipt_token.DIGITS_MOST,
            "salt_bytes": receipt_token.SALT_BYTES,
            "link_bytes": receipt_token.LINK_BYTES,
            "digest_bytes": receipt_token.DIGEST_BYTES,
        },
    }


def described_schema(schema: Schema) -> dict[str, Any]:
    """Return a schema's members and rules as JSON values."""
    # A rule over several members is a public method of ours; what it does is shown by the vectors.
    rules = {
        name
        for owner in type(schema).__mro__
        if owner.__module__.startswith("schemas.")
        for name, member in vars(owner).items()
        if callable(member) and not name.startswith("_") and not isinstance(member, type)
    }
    return {
        "unknown": _UNKNOWN[schema.unknown],
        "rules": sorted(rules),
        "members": {name: _described_field(field) for name, field in schema.fields.items()},
    }


def _described_reference(reference: Reference) -> dict[str, Any]:
    return {"field": reference.field, "kinds": list(reference.kinds), "in_effect": reference.in_effect}


def _described_field(field: fields.Field[Any]) -> dict[str, Any]:
    codes = {str(code) for code in EntryCode}
    described: dict[str, Any] = {
        "type": _type_of(field),
        "required": field.required,
        "allow_none": field.allow_none,
        "default": None if field.load_default is missing else {"value": field.load_default},
        "codes": {key: str(text) for key, text in field.error_messages.items() if str(text) in codes},
        "checks": [_described_check(check) for check in field.validators],
    }
    if isinstance(field, base.StrictText):
        described |= {"least": field.least, "most": field.most}
    elif isinstance(field, fields.Nested):
        described["object"] = described_schema(field.schema)
    elif isinstance(field, fields.List):
        described["item"] = _described_field(field.inner)
    return described


def _type_of(field: fields.Field[Any]) -> str:
    for known, name in _TYPES:
        if isinstance(field, known):
            return name
    raise TypeError(f"the fingerprint does not know the field {type(field).__name__}")


def _described_check(check: Any) -> dict[str, Any]:
    match check:
        case validate.Regexp():
            found: dict[str, Any] = {"pattern": check.regex.pattern}
        case validate.OneOf():
            found = {"one_of": list(check.choices)}
        case validate.Range():
            found = {"range": [check.min, check.max, check.min_inclusive, check.max_inclusive]}
        case validate.Length():
            found = {"length": [check.min, check.max, check.equal]}
        case _:
            raise TypeError(f"the fingerprint does not know the check {type(check).__name__}")
    return {**found, "code": str(check.error)}
