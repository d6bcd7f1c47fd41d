"""Structs derived from the contract's schemas: the same rules, checked by msgspec's compiled code.

The marshmallow schemas stay the one source of rules and of messages. A struct only ever says yes:
what it does not take is loaded by its schema, which knows why. What this module does not know how
to derive it refuses, so that no rule is ever left out (docs/decisions/0016).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from marshmallow.decorators import VALIDATES_SCHEMA
from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.base import IsoDay, StrictBoolean, StrictInteger, StrictText, load_fault
from schemas.exchange import RawEntry
from sync.entry import Fault

# What msgspec can raise besides its own errors: a number or a nesting that it cannot hold.
UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
# Of an object whose members another schema judges.
ANY_DEPTH = 10**9
# An expression made of ASCII letters, of classes of ASCII characters, and of groups and counts of these.
_PLAIN_PATTERN = re.compile(
    r"(?:\\[AZ+]|\[[0-9A-Za-z.@:_-]+\]|\((?:\?[:!])?|(?<!\()\?|[0-9A-Za-z@:|){},_-])*"
)
# Everything that a schema's class may override without our seeing it in its fields.
_METHODS = ("load", "_do_load", "_deserialize", "on_bind_field", "handle_error", "get_attribute", "set_class")


class UnderivableError(TypeError):
    """A schema uses something whose meaning for a struct is not known here."""


class DerivedSchema:
    """A schema and the struct that is derived from it; `depth` is how deep its values can nest."""

    def __init__(self, schema: Schema) -> None:
        _refuse_unknown(schema)
        self.schema = schema
        self.depth = 1
        self._texts: list[str] = []
        self._text_lists: list[str] = []
        self._objects: list[tuple[str, DerivedSchema]] = []
        self._lists: list[tuple[str, DerivedSchema]] = []
        self._rules = [getattr(schema, name) for name, _, _ in schema._hooks[VALIDATES_SCHEMA]]  # noqa: SLF001
        members = [self._member(name, field) for name, field in schema.load_fields.items()]
        self._is_open = any(len(member) > 2 and member[2] is UNSET for member in members)
        self.struct: type[Struct] = msgspec.defstruct(
            type(schema).__name__,
            members,
            kw_only=True,
            forbid_unknown_fields=True,
            frozen=True,
            gc=False,
        )

    def load(self, value: Any) -> dict[str, Any] | Fault:
        """Return `value` as the schema loads it, or its first fault."""
        accepted = self.accepted(value)
        if accepted is not None:
            return accepted
        try:
            loaded: dict[str, Any] = self.schema.load(value)
        except ValidationError as error:
            return load_fault(error)
        return loaded

    def accepted(self, value: Any) -> dict[str, Any] | None:
        """Return what the schema would load where the struct takes `value`; None where it does not."""
        try:
            return self.members_of(msgspec.convert(value, self.struct))
        except UNREADABLE:
            return None

    def members_of(self, loaded: Struct) -> dict[str, Any] | None:
        """Return a struct as a dict; None where a text or a rule over several members is broken."""
        members = msgspec.structs.asdict(loaded)
        for name in self._texts:
            # None, or left out, is no text.
            if members[name] and not _is_sound(members[name]):
                return None
        for name in self._text_lists:
            if not all(map(_is_sound, members[name] or ())):
                return None
        if self._is_open:
            members = {name: member for name, member in members.items() if member is not UNSET}
        for name, derived in self._objects:
            if members.get(name) is not None:
                members[name] = derived.members_of(members[name])
                if members[name] is None:
                    return None
        for name, derived in self._lists:
            if members.get(name) is not None:
                members[name] = [derived.members_of(item) for item in members[name]]
                if None in members[name]:
                    return None
        return members if self._keeps_rules(members) else None

    def _keeps_rules(self, members: dict[str, Any]) -> bool:
        try:
            for rule in self._rules:
                rule(members, many=False, partial=None, unknown=self.schema.unknown)
        except ValidationError:
            return False
        return True

    def _member(self, name: str, field: fields.Field[Any]) -> tuple[str, Any] | tuple[str, Any, Any]:
        """Return a field as msgspec's `defstruct` wants it: name, type and, where it has one, default."""
        if field.data_key not in {None, name} or field.attribute not in {None, name}:
            raise UnderivableError(f"{name} is loaded under another name")
        if field.pre_load or field.post_load:
            raise UnderivableError(f"{name} is changed while it is loaded")
        kind = self._type(name, field)
        if field.allow_none:
            kind = kind | None
        if field.load_default is None and not field.required:
            return name, kind, None
        if field.load_default is not missing:
            raise UnderivableError(f"{name} has a default")
        return (name, kind) if field.required else (name, kind | UnsetType, UNSET)

    def _type(self, name: str, field: fields.Field[Any]) -> Any:
        if type(field) is fields.Dict:
            if (
                field.validators
                or type(field.key_field) is not fields.String
                or field.value_field is not None
            ):
                raise UnderivableError(f"{name} is an object with rules that are not known")
            self.depth = ANY_DEPTH
            return dict[str, Any]
        if type(field) is fields.Nested:
            derived = self._nested(field)
            self._objects.append((name, derived))
            return derived.struct
        if type(field) is not fields.List:
            if type(field) is StrictText and not _is_always_sound(field):
                self._texts.append(name)
            return _scalar(name, field)
        bounds = _only_check(field, validate.Length)
        if bounds.equal is not None:
            raise UnderivableError(f"{name} has a fixed length")
        item: Any
        if type(field.inner) is fields.Nested:
            derived = self._nested(field.inner)
            self._lists.append((name, derived))
            item = derived.struct
        else:
            item = _scalar(name, field.inner)
            if type(field.inner) is StrictText:
                self._text_lists.append(name)
        if field.inner.allow_none:
            raise UnderivableError(f"{name} may hold null")
        self.depth = max(self.depth, 2)
        return Annotated[list[item], Meta(min_length=bounds.min, max_length=bounds.max)]

    def _nested(self, field: fields.Nested) -> DerivedSchema:
        if field.many or field.only is not None or field.exclude or field.unknown is not None:
            raise UnderivableError(f"{field.name} changes the schema that it nests")
        if field.validators:
            raise UnderivableError(f"{field.name} checks more than the schema that it nests")
        derived = DerivedSchema(field.schema)
        is_listed = field.parent is not self.schema
        self.depth = max(self.depth, 1 + is_listed + derived.depth)
        return derived


@cache
def derived(schema: type[Schema]) -> DerivedSchema:
    """Return the schema of this class with its struct. Raises UnderivableError."""
    return DerivedSchema(schema())


def _refuse_unknown(schema: Schema) -> None:
    """Raise UnderivableError where a schema loads in another way than member by member."""
    kind, name = type(schema), type(schema).__name__
    if schema.unknown != RAISE or schema.many or schema.partial:
        raise UnderivableError(f"{name} does not take exactly its members")
    if schema.only is not None or schema.exclude or schema.load_only or schema.dump_only:
        raise UnderivableError(f"{name} leaves members out")
    if kind.dict_class is not Schema.dict_class:
        raise UnderivableError(f"{name} loads into something else than a dict")
    for method in _METHODS:
        if getattr(kind, method, None) is not getattr(Schema, method, None):
            raise UnderivableError(f"{name} overrides {method}")
    for tag, hooks in schema._hooks.items():  # noqa: SLF001
        for _, is_for_many, settings in hooks:
            plain = {"skip_on_field_errors": True, "pass_original": False}
            if tag != VALIDATES_SCHEMA or is_for_many or settings != plain:
                raise UnderivableError(f"{name} has a hook of a kind that is not known")


def _is_sound(text: str) -> bool:
    """Return whether a text has no NUL and is in NFC; most are ASCII, which always is."""
    return "\x00" not in text and (text.isascii() or unicodedata.is_normalized("NFC", text))


def _is_always_sound(field: StrictText) -> bool:
    """Return whether a pattern or choices let nothing but ASCII through, and no NUL."""
    check = field.validators[0] if len(field.validators) == 1 else None
    if isinstance(check, validate.OneOf):
        return all(_is_sound(choice) for choice in check.choices)
    return isinstance(check, validate.Regexp) and bool(_PLAIN_PATTERN.fullmatch(str(check.regex.pattern)))


def _scalar(name: str, field: fields.Field[Any]) -> Any:
    derive = _SCALARS.get(type(field))
    if derive is None:
        raise UnderivableError(f"{name} is a {type(field).__name__}")
    return derive(field)


def _only_check(field: fields.Field[Any], kind: type[Any]) -> Any:
    if len(field.validators) != 1 or type(field.validators[0]) is not kind:
        raise UnderivableError(f"{field.name} is checked in a way that is not known")
    return field.validators[0]


def _text(field: StrictText) -> Any:
    """Derive a text: without checks by its bounds, otherwise by its pattern or its choices."""
    if not field.validators:
        if field.least not in {0, 1}:
            raise UnderivableError(f"{field.name} has to have {field.least} characters")
        # At least one character that is no blank: what is left after `strip` is not empty.
        return Annotated[str, Meta(max_length=field.most, pattern=r"\S" if field.least else None)]
    if field.least:
        raise UnderivableError(f"{field.name} has both a pattern and a shortest length")
    if type(field.validators[0]) is validate.OneOf:
        choices = tuple(_only_check(field, validate.OneOf).choices)
        if not all(type(choice) is str and len(choice) <= field.most for choice in choices):
            raise UnderivableError(f"{field.name} can be something else than a short text")
        return Literal[choices]
    regex = _only_check(field, validate.Regexp).regex
    # marshmallow matches at the start, msgspec anywhere.
    if regex.flags != re.UNICODE or not (regex.pattern.startswith(r"\A") and regex.pattern.endswith(r"\Z")):
        raise UnderivableError(f"{field.name} has a pattern that is not anchored, or has flags")
    return Annotated[str, Meta(max_length=field.most, pattern=regex.pattern)]


def _integer(field: StrictInteger) -> Any:
    bounds = _only_check(field, validate.Range)
    whole = type(bounds.min) is int and type(bounds.max) is int
    if not (whole and bounds.min_inclusive and bounds.max_inclusive):
        raise UnderivableError(f"{field.name} has bounds that are not whole and inclusive")
    return Annotated[int, Meta(ge=bounds.min, le=bounds.max)]


def _unchecked(kind: type[Any]) -> Callable[[fields.Field[Any]], Any]:
    def derive(field: fields.Field[Any]) -> Any:
        if field.validators:
            raise UnderivableError(f"{field.name} is checked in a way that is not known")
        return kind

    return derive


def _day(field: IsoDay) -> Any:
    if field.format != "iso":
        raise UnderivableError(f"{field.name} is written in a form that is not known")
    return _unchecked(date)(field)


# By exact class: a class derived from one of these may mean something else.
_SCALARS: Mapping[type[Any], Callable[[Any], Any]] = {
    StrictText: _text,
    StrictInteger: _integer,
    StrictBoolean: _unchecked(bool),
    IsoDay: _day,
    RawEntry: _unchecked(str),
}
