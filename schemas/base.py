"""Bases and fields of the contract's schemas.

Requests refuse unknown members, responses ignore them. Every error message of a schema *is* a
code of `sync.codes`, so that the first error of a load names a code and a field and never a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from sync.codes import EntryCode
from sync.entry import ENTRY_NAME_PATTERN, FIELD_CHARACTERS, UUID7_PATTERN, UUID_PATTERN, Fault, shown_name
from sync.limits import LIMITS

_MESSAGES = {
    "required": EntryCode.FIELD_MISSING,
    "null": EntryCode.FIELD_WRONG_TYPE,
    "invalid": EntryCode.FIELD_WRONG_TYPE,
    "type": EntryCode.FIELD_WRONG_TYPE,
    "unknown": EntryCode.FIELD_UNKNOWN,
    "too_large": EntryCode.FIELD_INVALID,
    "invalid_utf8": EntryCode.FIELD_INVALID,
    "validator_failed": EntryCode.FIELD_INVALID,
}


class CodedSchema(Schema):
    """A schema whose messages are codes."""

    # marshmallow declares it without ClassVar, and an override has to match.
    error_messages: dict[str, str] = {key: str(code) for key, code in _MESSAGES.items()}


class RequestSchema(CodedSchema):
    """What comes in: unknown members are refused."""

    class Meta:
        unknown = RAISE


class ResponseSchema(CodedSchema):
    """What goes out: a reader of another version ignores members it does not know."""

    class Meta:
        unknown = EXCLUDE


def _coded(field: type[fields.Field[Any]], **arguments: Any) -> fields.Field[Any]:
    arguments.setdefault("required", True)
    messages = {key: str(code) for key, code in _MESSAGES.items()}
    return field(error_messages=messages | arguments.pop("error_messages", {}), **arguments)


class StrictText(fields.String):
    """Text without NUL, in Unicode NFC, of bounded length; never a number that was turned to text."""

    def __init__(self, *, most: int, least: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.most, self.least = most, least
        self.metadata = {**self.metadata, "minLength": least, "maxLength": most}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(EntryCode.FIELD_WRONG_TYPE)
        if "\x00" in value:
            raise ValidationError(EntryCode.TEXT_HAS_NUL)
        if len(value) > self.most:
            raise ValidationError(EntryCode.TEXT_TOO_LONG)
        if len(value.strip()) < self.least or not unicodedata.is_normalized("NFC", value):
            raise ValidationError(EntryCode.FIELD_INVALID)
        return value


def text(*, most: int = LIMITS.text_characters, least: int = 1, **arguments: Any) -> fields.Field[Any]:
    """Text of `least` to `most` characters, NFC, no NUL."""
    return _coded(StrictText, most=most, least=least, **arguments)


def pattern(expression: str | re.Pattern[str], **arguments: Any) -> fields.Field[Any]:
    """Text that matches the whole of `expression`."""
    source = expression if isinstance(expression, str) else expression.pattern
    check = validate.Regexp(rf"\A(?:{source})\Z", error=EntryCode.FIELD_INVALID)
    # JSON Schema's expressions are ECMAScript's, which knows neither \A nor \Z.
    documented = {"pattern": f"^(?:{source})$"}
    return _coded(StrictText, most=1000, least=0, validate=check, metadata=documented, **arguments)


def entry_id(**arguments: Any) -> fields.Field[Any]:
    """The id of an entry, and so of the record that it registered: UUIDv7, lower case."""
    return pattern(UUID7_PATTERN, **arguments)


def entry_name(**arguments: Any) -> fields.Field[Any]:
    """The id of an entry, or the stand-in of one whose id cannot be read (`[E5]`)."""
    return pattern(ENTRY_NAME_PATTERN, **arguments)


def uuid_text(**arguments: Any) -> fields.Field[Any]:
    """A UUID in lower-case text."""
    return pattern(UUID_PATTERN, **arguments)


def hex_digest(**arguments: Any) -> fields.Field[Any]:
    """A SHA-256 as 64 lower-case hex digits."""
    return pattern(r"[0-9a-f]{64}", **arguments)


def base64url(*, most: int = 200, **arguments: Any) -> fields.Field[Any]:
    """Base64url text without padding."""
    return pattern(rf"[A-Za-z0-9_-]{{1,{most}}}", **arguments)


def choice(values: tuple[str, ...], **arguments: Any) -> fields.Field[Any]:
    """One of a fixed list of words."""
    check = validate.OneOf(values, error=EntryCode.FIELD_INVALID)
    return _coded(StrictText, most=64, least=0, validate=check, **arguments)


class StrictInteger(fields.Integer):
    """A whole JSON number: neither true nor 1.0 nor "1"."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError(self.error_messages["invalid"])
        return value


def integer(least: int, most: int, **arguments: Any) -> fields.Field[Any]:
    """A whole number from `least` to `most`."""
    code = arguments.pop("code", EntryCode.FIELD_INVALID)
    check = validate.Range(least, most, error=code)
    return _coded(StrictInteger, validate=check, **arguments)


def amount_vnd(*, least: int = 1, **arguments: Any) -> fields.Field[Any]:
    """An amount in whole đồng, from `least` to the limit."""
    return integer(
        least,
        LIMITS.amount_vnd,
        code=EntryCode.AMOUNT_INVALID,
        error_messages={"invalid": str(EntryCode.AMOUNT_INVALID)},
        **arguments,
    )


class StrictBoolean(fields.Boolean):
    """JSON's true or false, and nothing that merely means it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(EntryCode.FIELD_WRONG_TYPE)
        return value


def boolean(**arguments: Any) -> fields.Field[Any]:
    """JSON's true or false."""
    return _coded(StrictBoolean, **arguments)


class IsoDay(fields.Date):
    """A day as YYYY-MM-DD, and in no other of ISO's forms."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        # fromisoformat would also take week dates and "20200523".
        if not isinstance(value, str):
            raise ValidationError(EntryCode.FIELD_WRONG_TYPE)
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
            raise ValidationError(EntryCode.FIELD_INVALID)
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError as error:
            raise ValidationError(EntryCode.FIELD_INVALID) from error


def day(**arguments: Any) -> fields.Field[Any]:
    """A calendar day as YYYY-MM-DD."""
    return _coded(IsoDay, format="iso", **arguments)


def month(**arguments: Any) -> fields.Field[Any]:
    """A calendar month as YYYY-MM."""
    return pattern(r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])", **arguments)


def json_object(**arguments: Any) -> fields.Field[Any]:
    """An object whose members another schema judges."""
    return _coded(fields.Dict, keys=fields.String(), **arguments)


def nested(schema: type[Schema], **arguments: Any) -> fields.Field[Any]:
    """An object of its own schema."""
    return _coded(fields.Nested, nested=schema, **arguments)


def list_of(
    item: fields.Field[Any], *, least: int = 0, most: int = LIMITS.list_items, **arguments: Any
) -> fields.Field[Any]:
    """A list of `least` to `most` items."""
    check = validate.Length(least, most, error=EntryCode.FIELD_INVALID)
    return _coded(fields.List, cls_or_instance=item, validate=check, **arguments)


def optional(field: fields.Field[Any]) -> fields.Field[Any]:
    """The same field, which may be null or left out; it is null then."""
    field.required = False
    field.allow_none = True
    field.load_default = None
    return field


def load_fault(error: ValidationError) -> Fault:
    """Return the first fault that a schema found while loading."""
    return first_fault(error.normalized_messages())  # type: ignore[no-untyped-call]


def first_fault(errors: Mapping[Any, Any]) -> Fault:
    """Return the first error of a marshmallow error tree, by path, as a fault."""
    path: list[str] = []
    node: Any = errors
    while isinstance(node, Mapping):
        key = sorted(node, key=str)[0]
        if key != "_schema":
            path.append(shown_name(str(key)))
        node = node[key]
    message = node[0] if isinstance(node, list) and node else node
    if isinstance(message, Mapping):
        inner = first_fault(message)
        return Fault(inner.code, ".".join([*path, inner.field or ""]).rstrip(".")[:FIELD_CHARACTERS])
    codes = set(EntryCode)
    field = ".".join(path)[:FIELD_CHARACTERS] or None
    return Fault(EntryCode(message) if message in codes else EntryCode.FIELD_INVALID, field)
