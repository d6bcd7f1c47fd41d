"""A derived struct and its schema are one rule: each takes what the other takes, and loads the same."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from schemas.base import (
    RequestSchema,
    StrictInteger,
    StrictText,
    integer,
    list_of,
    nested,
    optional,
    pattern,
    text,
)
from schemas.catalogue import KINDS
from schemas.derived import DerivedSchema, UnderivableError, derived
from schemas.earlier import EARLIER_BODIES, SyncRequestV1
from schemas.exchange import EnrolmentRequest, SyncRequest
from schemas.vectors.bodies import WHOLE
from tests.schemas.made_up import ODD, values_for

_IS_LONG = os.environ.get("TUNGNHA_LONG") == "1"
thorough = settings(
    max_examples=5000 if _IS_LONG else 80,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SCHEMAS = {name: type(kind.schema) for name, kind in KINDS.items()} | {
    "sync": SyncRequest,
    "sync of version 1": SyncRequestV1,
    "enrolment": EnrolmentRequest,
    "texts": RequestSchema.from_dict({"names": optional(list_of(text()))}, name="Texts"),
    **{f"{name} of version 1": type(earlier.schema) for name, earlier in EARLIER_BODIES.items()},
}
SLOW = {name: schema() for name, schema in SCHEMAS.items()}
VALUES = {name: values_for(schema) | ODD for name, schema in SLOW.items()}


def loaded(schema: Schema, value):
    """Return what marshmallow loads, or None where it refuses."""
    try:
        return schema.load(value)
    except ValidationError:
        return None


def assert_same(name: str, value) -> None:
    expected = loaded(SLOW[name], value)
    accepted = derived(SCHEMAS[name]).accepted(value)
    assert accepted == expected, value
    if expected is not None:
        assert list(accepted) == list(expected)
        assert [type(member) for member in accepted.values()] == [
            type(member) for member in expected.values()
        ]


@pytest.mark.parametrize("name", SCHEMAS)
@thorough
@given(made=some.data())
def test_a_struct_takes_exactly_what_its_schema_takes(name, made):
    assert_same(name, made.draw(VALUES[name]))


@pytest.mark.parametrize("name", WHOLE)
def test_a_sound_body_of_each_kind_needs_no_second_reading(name):
    assert derived(SCHEMAS[name]).accepted(WHOLE[name]) == SCHEMAS[name]().load(WHOLE[name])


@pytest.mark.parametrize(
    "expression", [".{1,9}", r"[^x]+", r"\w+", r"\W+", "[ê-ý]+", r"[\S]", "ê", r"\x00?", "(?i:k)", r"k\Z|.+"]
)
@pytest.mark.parametrize("value", ["e\u0302", "\x00", "k", "\u212a", "\u1ec7", "ê"])
def test_a_pattern_that_lets_more_than_ascii_through_is_checked_like_any_text(expression, value):
    schema = schema_with(pattern(expression))
    assert DerivedSchema(schema()).accepted({"name": value}) == loaded(schema(), {"name": value})


def test_what_a_struct_refuses_is_explained_by_the_schema():
    fault = derived(SCHEMAS["visit_recorded"]).load(WHOLE["visit_recorded"] | {"disposition": "gone"})
    assert (fault.code, fault.field) == ("field_invalid", "disposition")


class Shouting(StrictText):
    """A text with a rule of its own, which no struct knows of."""


class Other(RequestSchema):
    """Something nested."""

    name = text()


def schema_with(field) -> type[Schema]:
    return RequestSchema.from_dict({"name": field}, name="Made")


class WithHook(RequestSchema):
    """Changes what it loads."""

    name = text()

    @post_load
    def shout(self, data, **_):
        return data


class WithOwnSkip(RequestSchema):
    """Has a rule that runs although a member is wrong."""

    name = text()

    @validates_schema(skip_on_field_errors=False)
    def is_loud(self, data, **_):
        """Never minds."""


class Lenient(RequestSchema):
    """Ignores members that it does not know."""

    class Meta:
        unknown = EXCLUDE

    name = text()


class Overriding(RequestSchema):
    """Does something before loading."""

    name = text()

    def load(self, data, **kwargs):
        """Load."""
        return super().load(data, **kwargs)


@pytest.mark.parametrize(
    "schema",
    [
        WithHook,
        WithOwnSkip,
        Lenient,
        Overriding,
        schema_with(Shouting(most=5, least=1)),
        schema_with(fields.String(required=True)),
        schema_with(fields.Integer(required=True)),
        schema_with(fields.Float(required=True)),
        schema_with(fields.Dict(required=True)),
        schema_with(fields.Dict(keys=fields.String(), values=fields.String(), required=True)),
        schema_with(fields.Dict(keys=text(), required=True)),
        schema_with(text(least=2)),
        schema_with(text(validate=validate.Length(2, 3))),
        schema_with(text(validate=lambda value: value)),
        schema_with(text(validate=validate.Regexp(r"\Aa\Z", re.IGNORECASE))),
        schema_with(StrictText(most=9, least=0, validate=validate.Regexp("a"))),
        schema_with(StrictText(most=9, least=1, validate=validate.Regexp(r"\Aa\Z"))),
        schema_with(pattern("a", data_key="title")),
        schema_with(pattern("a", load_default="a", required=False)),
        schema_with(StrictText(most=9, least=0, validate=[validate.OneOf("ab"), validate.Regexp(r"\Aa\Z")])),
        schema_with(StrictInteger(validate=validate.Range(1, 5, max_inclusive=False))),
        schema_with(StrictInteger(validate=validate.Range(1))),
        schema_with(StrictInteger()),
        schema_with(list_of(optional(text()))),
        schema_with(list_of(optional(nested(Other)))),
        schema_with(fields.List(fields.Nested(Other))),
        schema_with(fields.Nested(Other, many=True)),
        schema_with(fields.Nested(Other, only=["name"])),
        schema_with(fields.Nested(Other, unknown=EXCLUDE)),
        schema_with(nested(Other, validate=validate.Length(1))),
        schema_with(integer(1, 5, pre_load=[int])),
    ],
)
def test_what_cannot_be_derived_exactly_is_refused(schema):
    with pytest.raises(UnderivableError):
        DerivedSchema(schema())
